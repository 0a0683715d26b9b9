"""HMT, the HTTP Mocking Toolkit: mocks and recorders for tests.

    from hmt import Mock

    with Mock("spec.yaml") as mock:
        requests.get(mock.url + "/users/1")
        assert mock.requests(method="GET", path="/users/{id}")

The executables (hmt, hmt-record, hmt-build, hmt-merge, hmt-mock, hmt-replay) are installed beside Python. With pytest,
the fixtures `hmt_mock` and `hmt_record` need no import. `hmt.callbacks` is for scripts of `hmt-mock --callback-dir`.
"""

from pkgutil import extend_path
from typing import Any

__path__ = extend_path(__path__, __name__)
__version__ = "@VERSION@"
__all__ = ["HmtError", "Mock", "Recorder", "callback"]


def __getattr__(name: str) -> Any:
    # Scripts of `--callback-dir` need none of the clients, and tests nothing of the callbacks.
    if name in ("HmtError", "Mock", "Recorder"):
        from hmt import testing

        return getattr(testing, name)
    if name == "callback":
        from hmt.callbacks import callback

        return callback
    raise AttributeError("module 'hmt' has no attribute {!r}".format(name))
