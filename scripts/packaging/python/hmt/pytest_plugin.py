"""The pytest fixtures `hmt_mock` and `hmt_record`, which are available when the package is installed."""

from __future__ import annotations

from typing import Any, Callable, Iterator, List, Optional, Tuple

import pytest

from hmt.testing import Mock, Recorder


@pytest.fixture
def hmt_mock() -> Iterator[Callable[..., Mock]]:
    """Starts mocks that end with the test.

        def test_users(hmt_mock):
            mock = hmt_mock("spec.yaml", fail_on_undeclared=True)
            get_user(mock.url, 1)
            assert mock.count(path="/users/{id}") == 1

    With `fail_on_undeclared`, the test fails if it sent a request that neither the spec nor an override has. All other
    arguments are those of `hmt.Mock`.
    """
    running: List[Tuple[Mock, bool]] = []

    def start(*specs: Any, fail_on_undeclared: bool = False, **flags: Any) -> Mock:
        mock = Mock(*specs, **flags).start()
        running.append((mock, fail_on_undeclared))
        return mock

    undeclared: List[str] = []
    try:
        yield start
        for mock, fails in running:
            if fails:
                undeclared += [_line(entry) for entry in mock.requests(unmatched=True)]
    finally:
        for mock, _ in running:
            mock.close()
    if undeclared:
        pytest.fail("requests that the spec does not have:\n  " + "\n  ".join(undeclared), pytrace=False)


@pytest.fixture
def hmt_record() -> Iterator[Callable[..., Recorder]]:
    """Starts recorders that end with the test: `recorder = hmt_record("http://localhost:3000")`. The arguments are those
    of `hmt.Recorder`."""
    running: List[Recorder] = []

    def start(target: Optional[str] = None, **arguments: Any) -> Recorder:
        recorder = Recorder(target, **arguments)
        running.append(recorder)
        return recorder.start()

    try:
        yield start
    finally:
        for recorder in running:
            recorder.close()


def _line(entry: Any) -> str:
    request = entry["exchange"]["request"]
    path = request.get("path") or request.get("pathname")
    return "{} {} -> {}".format(request["method"].upper(), path, entry["status"])
