"""Mocks and recorders that run during a test. They are controlled through the documented admin port of hmt-mock."""

from __future__ import annotations

import collections
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Deque, Dict, List, Mapping, Optional, Sequence, Type, TypeVar, Union

__all__ = ["HmtError", "Mock", "Recorder"]

# How long a server may take to start, and to end, in seconds.
START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0

Spec = Union[str, "os.PathLike[str]", Mapping[str, Any]]
_S = TypeVar("_S", bound="_Server")

# Requests go to loopback, whatever proxy the environment names.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class HmtError(Exception):
    """A program that cannot be run, or a request that the admin port refused."""


def executable(name: str) -> str:
    """The path of a program of HMT: in $HMT_BIN, beside Python, or on PATH."""
    folders = [os.environ.get("HMT_BIN"), sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    for folder in folders:
        found = folder and shutil.which(name, path=folder)
        if found:
            return found
    found = shutil.which(name)
    if not found:
        raise HmtError("{} is neither beside Python nor on PATH; pip install hmt installs it".format(name))
    return found


def arguments(flags: Mapping[str, Any]) -> List[str]:
    """`{"seed": 3, "no_validate": True}` as `--seed 3 --no-validate`. A list repeats its flag."""
    words: List[str] = []
    for name, value in flags.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif isinstance(value, (list, tuple)):
            for item in value:
                words += [flag, str(item)]
        elif value is not False and value is not None:
            words += [flag, str(value)]
    return words


class _Server:
    """A program that listens on a free port until it is stopped."""

    #: The lines that say where it listens, without their URLs.
    _ready: Sequence[str] = ("listening on ",)

    def __init__(self) -> None:
        self._process: Optional["subprocess.Popen[bytes]"] = None
        self._urls: Dict[str, str] = {}
        # For messages: the last lines that it printed.
        self._lines: Deque[str] = collections.deque(maxlen=50)
        self._folder: Optional["tempfile.TemporaryDirectory[str]"] = None
        self._is_ready = threading.Event()

    def _command(self) -> List[str]:
        raise NotImplementedError

    def _temporary(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="hmt-")
        return Path(self._folder.name)

    def start(self: _S) -> _S:
        """Starts the program, and returns when it listens."""
        if self._process is not None:
            return self
        command = self._command()
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        if not self._is_ready.wait(START_TIMEOUT) or len(self._urls) < len(self._ready):
            self.stop()
            raise HmtError("{} did not start:\n{}".format(command[0], "\n".join(self._lines)))
        return self

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stderr is not None
        for raw in process.stderr:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            self._lines.append(line)
            for beginning in self._ready:
                if line.startswith(beginning):
                    self._urls[beginning] = line[len(beginning) :]
            if len(self._urls) == len(self._ready):
                self._is_ready.set()
        # It has ended, perhaps before it listened.
        self._is_ready.set()

    def stop(self) -> None:
        """Ends the program as SIGTERM does, and waits for it."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stderr is not None:
                process.stderr.close()
        self._urls.clear()
        self._is_ready = threading.Event()

    def close(self) -> None:
        """Ends the program and removes its files."""
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def url(self) -> str:
        """Where clients send their requests, as `http://127.0.0.1:PORT`."""
        return self._url("listening on ")

    @property
    def output(self) -> str:
        """The last lines that the program wrote to standard error."""
        return "\n".join(self._lines)

    def _url(self, beginning: str) -> str:
        if beginning not in self._urls:
            raise HmtError("it is not running; use it in a with statement, or call start()")
        return self._urls[beginning]

    def __enter__(self: _S) -> _S:
        return self.start()

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


class Mock(_Server):
    """A running hmt-mock: `with Mock("spec.yaml", seed=3) as mock: ...`.

    A spec is a path, a URL, or a dictionary with an OpenAPI document. Keyword arguments are flags of hmt-mock(1):
    `stateful=True` is `--stateful`, and `header=["a", "b"]` repeats a flag.
    """

    _ready = ("listening on ", "admin on ")

    def __init__(self, *specs: Spec, **flags: Any) -> None:
        super().__init__()
        self._specs = specs
        self._flags = {"port": 0, "admin_port": 0, **flags}

    def _command(self) -> List[str]:
        specs = []
        for number, spec in enumerate(self._specs):
            if isinstance(spec, Mapping):
                path = self._temporary() / "spec-{}.json".format(number)
                path.write_text(json.dumps(spec), encoding="utf-8")
                specs.append(str(path))
            else:
                specs.append(os.fspath(spec))
        return [executable("hmt-mock"), *arguments(self._flags), "--", *specs]

    @property
    def admin_url(self) -> str:
        """The admin endpoints, as `http://127.0.0.1:PORT/admin`."""
        return self._url("admin on ")

    def requests(self, **filters: Any) -> List[Dict[str, Any]]:
        """The journal, newest last: what clients sent and what they got.

        Filters are those of `GET /admin/requests`: method, path (a path template or a pattern), status, source,
        unmatched, since, limit.
        """
        found: List[Dict[str, Any]] = self.admin("GET", "/requests" + _query(filters))
        return found

    def count(self, **filters: Any) -> int:
        """The number of requests that `requests` would return."""
        found: Dict[str, int] = self.admin("GET", "/requests" + _query({**filters, "count": True}))
        return found["count"]

    def override(self, stub: Mapping[str, Any]) -> str:
        """Adds a stub, `{"match": {...}, "answer": {...}, "times"?: N}`, and returns its id. The newest one wins."""
        added: Dict[str, Any] = self.admin("POST", "/overrides", stub)
        return str(added["id"])

    def reset(self) -> None:
        """Removes all overrides, empties the journal, and restores the initial stored data."""
        self.admin("DELETE", "/overrides")
        self.admin("DELETE", "/requests")
        self.admin("POST", "/storage/reset")

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Sends a request to an admin endpoint, and returns the parsed response, or None if it is empty."""
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(self.admin_url + path, data=data, method=method)
        if data is not None:
            request.add_header("content-type", "application/json")
        token = self._flags.get("admin_token")
        if token:
            request.add_header("authorization", "Bearer " + str(token))
        try:
            with _OPENER.open(request, timeout=30) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            why = error.read().decode("utf-8", "replace")
            raise HmtError("{} {}: {} {}".format(method, path, error.code, why)) from None
        return json.loads(text) if text.strip() else None


class Recorder(_Server):
    """A running hmt-record: `with Recorder("https://api.example.com") as recorder: ...`.

    Clients send their requests to `url`. Without a target, they name it in the path (`/https://host/path`). Keyword
    arguments are flags of hmt-record(1). The recording is in `path`, which is a temporary file unless it is given.
    """

    def __init__(self, target: Optional[str] = None, path: Optional["os.PathLike[str]"] = None, **flags: Any) -> None:
        super().__init__()
        self._target = target
        self._flags = {"port": 0, **flags}
        self.path = Path(path) if path is not None else self._temporary() / "recording.jsonl"
        self._kept: Optional[List[Dict[str, Any]]] = None

    def _command(self) -> List[str]:
        flags = {**self._flags, "out": self.path}
        if self._target is not None:
            flags["target"] = self._target
        return [executable("hmt-record"), *arguments(flags)]

    def exchanges(self, at_least: int = 0, timeout: float = 10.0) -> List[Dict[str, Any]]:
        """The recorded exchanges; waits until there are `at_least` of them, or the timeout has passed.

        They stay available after the end of the recorder, when its temporary file is removed."""
        if self._kept is not None:
            return list(self._kept)
        end = time.monotonic() + timeout
        while True:
            text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
            # The last line may still be on its way.
            lines = [line for line in text.split("\n")[:-1] if line.strip()]
            if len(lines) >= at_least or time.monotonic() > end:
                return [json.loads(line) for line in lines]
            time.sleep(0.01)

    def close(self) -> None:
        """Ends the program and removes its files."""
        self.stop()
        if self._folder is not None:
            self._kept = self.exchanges()
        super().close()

    def spec(self, **flags: Any) -> Dict[str, Any]:
        """An OpenAPI document of the recording. Keyword arguments are flags of hmt-build(1)."""
        command = [executable("hmt-build"), *arguments({"format": "json", **flags}), "--", str(self.path)]
        built = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if built.returncode not in (0, 3):
            raise HmtError(built.stderr.decode("utf-8", "replace"))
        document: Dict[str, Any] = json.loads(built.stdout)
        return document


def _query(filters: Mapping[str, Any]) -> str:
    given = {}
    for name, value in filters.items():
        if value is not None:
            given[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return "?" + urllib.parse.urlencode(given) if given else ""
