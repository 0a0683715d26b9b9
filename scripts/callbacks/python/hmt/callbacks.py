"""Functions that edit the responses of hmt-mock: `from hmt.callbacks import callback`.

    @callback("api.example.com", "get", "/users")
    def users(query, response_body, storage):
        storage["calls"] = storage.get("calls", 0) + 1
        response_body["calls"] = storage["calls"]
        return response_body

A function has any of the parameters `query`, `request_headers`, `response_headers`, `request`, `response`, `storage`,
`request_body` and `response_body`. With `format="json"` bodies are parsed, with any other format they are strings. With
`response="body"` the function returns the new body, with `response="full"` the new response: a dictionary, or an
`http_types.Response`. Changes of headers in place count. A function can be asynchronous.

The process speaks JSON Lines with hmt-mock on its standard input and output (see hmt-mock(1)). Because of that, `print`
writes to standard error.
"""

import atexit
import base64
import copy
import inspect
import io
import json
import os
import sys
import traceback
import uuid

try:
    import http_types
except ImportError:
    from hmt import types_of_http as http_types

    sys.modules["http_types"] = http_types
else:
    from hmt import types_of_http

    # Some versions require a body in addition to `bodyAsJson`.
    http_types.Response = types_of_http.Response

__all__ = ["callback"]

ARGUMENTS = (
    "query",
    "request_headers",
    "response_headers",
    "request",
    "response",
    "storage",
    "request_body",
    "response_body",
)

# The protocol uses these two streams. The script's own output goes to standard error.
_calls = os.fdopen(os.dup(0), "rb")
_answers = os.dup(1)
_null = os.open(os.devnull, os.O_RDONLY)
os.dup2(_null, 0)
os.close(_null)
os.dup2(2, 1)
sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
sys.stdout = sys.stderr

# Functions by host, method and path, in their order.
_functions = {}
_served = False
_loop = None


def callback(host=None, method=None, path=None, format="json", response="body"):
    """Registers a function for a host, a method and a path; `None` stands for any. A later one replaces an equal one."""
    if response not in ("body", "full"):
        raise ValueError("response must be 'body' or 'full', not {!r}".format(response))

    def register(function):
        wanted = _wanted(function)
        method_key = method.lower() if method else None
        _functions.pop((host, method_key, path), None)
        _functions[(host, method_key, path)] = (function, wanted, format, response)
        return function

    return register


def _wanted(function):
    """The names of the arguments that a function takes."""
    wanted = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            return list(ARGUMENTS)
        if name in ARGUMENTS:
            wanted.append(name)
        elif parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL:
            raise TypeError(
                "the callback {} has a parameter {!r}; it can have {}".format(
                    function.__name__, name, ", ".join(ARGUMENTS)
                )
            )
    return wanted


class Headers(dict):
    """Headers by name, in any case."""

    def __init__(self, items=()):
        super().__init__()
        self.update(items)

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __setitem__(self, name, value):
        super().__setitem__(name.lower(), value)

    def __delitem__(self, name):
        super().__delitem__(name.lower())

    def __contains__(self, name):
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)

    def pop(self, name, *default):
        return super().pop(name.lower(), *default)

    def setdefault(self, name, default=None):
        return super().setdefault(name.lower(), default)

    def update(self, *items, **more):
        for name, value in dict(*items, **more).items():
            self[name] = value


class Storage(dict):
    """The global values by name. Entities are attributes, and also items if no value has the name."""

    def __init__(self, values, entities, id_paths):
        super().__init__(values)
        kinds = {name: Entity(all, id_paths.get(name)) for name, all in entities.items()}
        self.__dict__["_entities"] = kinds

    @property
    def default(self):
        """The global values."""
        return self

    def __missing__(self, name):
        return self._entities[name]

    def __getattr__(self, name):
        entities = self.__dict__.get("_entities", {})
        if name not in entities:
            raise AttributeError("there is no entity {!r}".format(name))
        return entities[name]


class Entity(dict):
    """The entities of a kind by id. An id is a text, and can also be looked up as a number."""

    def __init__(self, entities, id_path):
        super().__init__(entities)
        self.id_path = id_path or ["id"]

    def insert(self, entity):
        """Adds an entity, or replaces the one with the same id. Without an id it gets a new one."""
        place = entity
        *steps, last = self.id_path
        for step in steps:
            place = place.setdefault(step, {})
        if place.get(last) is None:
            place[last] = str(uuid.uuid4())
        self[place[last]] = entity
        return entity

    def __getitem__(self, key):
        return super().__getitem__(str(key))

    def __setitem__(self, key, entity):
        super().__setitem__(str(key), entity)

    def __delitem__(self, key):
        super().__delitem__(str(key))

    def __contains__(self, key):
        return super().__contains__(str(key))

    def get(self, key, default=None):
        return super().get(str(key), default)

    def pop(self, key, *default):
        return super().pop(str(key), *default)


def _lists(query):
    return {name: value if isinstance(value, list) else [value] for name, value in query.items()}


def _body(message, meta, side):
    """The text of a body, and its bytes if it is not text."""
    encoded = meta.get(side + "BodyBase64")
    if encoded is None:
        return message.get("body") or ""
    return base64.b64decode(encoded).decode("utf-8", "surrogateescape")


def _parsed(text, content_type):
    """A body as JSON; `{}` if it is empty, and the text itself if it is not JSON."""
    if not text:
        return {}
    try:
        return json.loads(text)
    except ValueError:
        return text


def _answer(call):
    """Calls the function for a call, and returns its answer."""
    function, wanted, format, kind = list(_functions.values())[call["match"]]
    meta = call.get("meta", {}).get("hmt", {})
    request, response = call["request"], call["response"]
    request["headers"] = Headers(request.get("headers", {}))
    request["query"] = _lists(request.get("query", {}))
    response["headers"] = Headers(response.get("headers", {}))
    for side, message in (("request", request), ("response", response)):
        message["body"] = _body(message, meta, side)
        message["bodyAsJson"] = _parsed(message["body"], message["headers"].get("content-type"))
    storage = Storage(call.get("storage", {}), call.get("entities", {}), call.get("idPaths", {}))
    body = "bodyAsJson" if format == "json" else "body"
    arguments = {
        "query": request["query"],
        "request_headers": request["headers"],
        "response_headers": response["headers"],
        "request": request,
        "response": response,
        "storage": storage,
        "request_body": request[body],
        "response_body": response[body],
    }
    before = copy.deepcopy((response, dict(storage), dict(storage._entities)))
    result = function(**{name: arguments[name] for name in wanted})
    if inspect.iscoroutine(result):
        result = _run(result)
    answer = {"id": call["id"]}
    edited = _edited(before[0], response, result, format, kind)
    if edited:
        answer["response"] = edited
    if dict(storage) != before[1]:
        answer["storage"] = storage
    changed = {name: all for name, all in storage._entities.items() if all != before[2][name]}
    if changed:
        answer["entities"] = changed
    return answer


def _run(coroutine):
    """The result of an asynchronous function. All of them have one loop, so that they can share connections."""
    global _loop
    import asyncio

    if _loop is None:
        _loop = asyncio.new_event_loop()
    return _loop.run_until_complete(coroutine)


def _edited(before, response, result, format, kind):
    """The members of the response that the function has changed."""
    edited = {}
    if kind == "full" and result is not None and result is not response:
        fresh = result if isinstance(result, dict) else vars(result)
        status, headers = fresh.get("statusCode"), fresh.get("headers")
        if status is not None:
            edited["statusCode"] = int(status)
        edited["headers"] = _plain(Headers(headers or {}))
        text, value = fresh.get("body"), fresh.get("bodyAsJson")
        same = isinstance(text, str) and text == before["body"] and value != before["bodyAsJson"]
        if value is not None and (text is None or text == "" or same or format == "json"):
            edited["body"] = json.dumps(value)
            edited["headers"].setdefault("content-type", "application/json")
        else:
            edited["body"] = _text(text)
        return edited
    if kind == "body" and result is not None:
        text = json.dumps(result) if format == "json" else _text(result)
        # A body that is equal as JSON keeps its bytes.
        if format != "json" or result != before["bodyAsJson"] or not before["body"]:
            edited["body"] = text
    elif response.get("body") != before["body"]:
        edited["body"] = _text(response.get("body"))
    elif response.get("bodyAsJson") != before["bodyAsJson"]:
        edited["body"] = json.dumps(response["bodyAsJson"])
    if response["headers"] != before["headers"]:
        edited["headers"] = _plain(Headers(response["headers"]))
    if kind == "full" and response.get("statusCode") != before["statusCode"]:
        edited["statusCode"] = int(response["statusCode"])
    return edited


def _plain(headers):
    """Headers with texts, or lists of texts, as values."""
    return {
        name: [str(item) for item in value] if isinstance(value, (list, tuple)) else str(value)
        for name, value in headers.items()
        if value is not None
    }


def _text(body):
    if body is None:
        return ""
    if isinstance(body, (bytes, bytearray)):
        return bytes(body).decode("utf-8", "surrogateescape")
    if isinstance(body, (dict, list)):
        return json.dumps(body)
    return str(body)


def _line(message):
    """A message as a line of JSON. A body that is not text is sent in base64."""
    response = message.get("response", {})
    if "body" in response:
        try:
            response["body"].encode("utf-8")
        except UnicodeEncodeError:
            raw = response.pop("body").encode("utf-8", "surrogateescape")
            response["bodyBase64"] = base64.b64encode(raw).decode("ascii")
    return json.dumps(message).encode("ascii") + b"\n"


def _send(line):
    while line:
        line = line[os.write(_answers, line) :]


def serve():
    """Answers calls until there are no more. False if the script has no callbacks."""
    global _served
    if _served or not _functions:
        return _served
    _served = True
    match = []
    for (host, method, path), (_, wanted, format, kind) in _functions.items():
        entry = {"format": "json" if format == "json" else "text", "response": kind}
        named = {"host": host, "method": method, "path": path}
        entry.update((name, value) for name, value in named.items() if value)
        entry["storage"] = "storage" in wanted
        if entry["storage"]:
            entry["entities"] = True
        match.append(entry)
    _send(_line({"hmt": 1, "match": match}))
    for line in _calls:
        call = json.loads(line)
        try:
            answer = _line(_answer(call))
        except BaseException as error:
            if isinstance(error, SystemExit):
                raise
            traceback.print_exc()
            why = traceback.format_exception_only(type(error), error)[-1].strip()
            answer = _line({"id": call["id"], "error": why})
        sys.stderr.flush()
        _send(answer)
    return True


def serve_at_exit(wanted):
    """True if calls are answered after the script has ended, because its first line starts it as a program."""
    (atexit.register if wanted else atexit.unregister)(_serve_unless_failed)


def _serve_unless_failed():
    if getattr(sys, "last_value", None) is None:
        serve()


serve_at_exit(True)
