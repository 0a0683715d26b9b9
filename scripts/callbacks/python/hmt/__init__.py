"""The module for scripts of `hmt-mock --callback-dir`; its content is in `hmt.callbacks`."""

from pkgutil import extend_path

# An installed package with this name can still be imported.
__path__ = extend_path(__path__, __name__)


def __getattr__(name):
    if name == "callback":
        from hmt.callbacks import callback

        return callback
    raise AttributeError("module 'hmt' has no attribute {!r}".format(name))
