"""HMT for scripts of `hmt-mock --callback-dir`; `hmt.callbacks` has all of it."""

from pkgutil import extend_path

# An installed package of this name stays in reach.
__path__ = extend_path(__path__, __name__)


def __getattr__(name):
    if name == "callback":
        from hmt.callbacks import callback

        return callback
    raise AttributeError("module 'hmt' has no attribute {!r}".format(name))
