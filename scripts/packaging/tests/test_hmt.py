"""Tests the module `hmt` and its fixtures, as a user's test suite uses them."""

import json
import urllib.error
import urllib.request

import pytest

from hmt import HmtError, Mock, Recorder

USER = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
SPEC = {
    "openapi": "3.0.3",
    "info": {"title": "Users", "version": "1"},
    "paths": {
        "/users/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "a user", "content": {"application/json": {"schema": USER}}}},
            }
        }
    },
}


def get(url):
    try:
        with urllib.request.urlopen(url) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None


def test_a_mock_is_steered_and_asked(hmt_mock):
    mock = hmt_mock(SPEC, seed=3)
    assert get(mock.url + "/users/7") == (200, {"id": 7})
    mock.override({"match": {"path": "/users/{id}"}, "answer": {"status": 503}, "times": 1})
    assert [get(mock.url + "/users/7")[0] for _ in range(2)] == [503, 200]
    assert [entry["status"] for entry in mock.requests(method="GET")] == [200, 503, 200]
    assert mock.count(path="/users/{id}", status=503) == 1
    mock.reset()
    assert mock.requests() == []


def test_traffic_is_recorded(hmt_mock, hmt_record):
    recorder = hmt_record(hmt_mock(SPEC).url)
    get(recorder.url + "/users/7")
    (exchange,) = recorder.exchanges(at_least=1)
    assert exchange["request"]["pathname"] == "/users/7"
    assert list(recorder.spec()["paths"])


def test_without_pytest():
    with Mock(SPEC, no_admin=False) as mock, Recorder(mock.url) as recorder:
        assert get(recorder.url + "/users/1")[0] == 200
    with pytest.raises(HmtError, match="not running"):
        mock.url


def test_errors_say_why():
    with pytest.raises(HmtError, match="no such file"):
        Mock("missing.yaml").start()
    with Mock(SPEC) as mock, pytest.raises(HmtError, match="400"):
        mock.override({"answer": 5})


def test_undeclared_requests_fail_a_test(pytester):
    pytester.makepyfile(
        """
        import urllib.error, urllib.request
        SPEC = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}}
        def test_it(hmt_mock):
            mock = hmt_mock(SPEC, fail_on_undeclared=True)
            try:
                urllib.request.urlopen(mock.url + "/nowhere")
            except urllib.error.HTTPError:
                pass
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*GET /nowhere -> 404*"])


pytest_plugins = ["pytester"]
