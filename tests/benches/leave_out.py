"""Failures reported by schemathesis that are not faults of the mock, each with the reason.

schemathesis loads this file for tests/benches/schemathesis, which counts the ignored failures. A failure is ignored
only if its reason can be shown from the request as it was sent, or from the response.
"""
import json
import os
import re
import urllib.parse

import requests
import schemathesis
from schemathesis.core.jsonschema import make_validator
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transforms import to_wire_string

FORM = "application/x-www-form-urlencoded"


def too_long(failure, case, response):
    """The URL is too long for HTTP servers, and the response says so (RFC 9110, section 15.5.15; RFC 6585)."""
    return response.status_code in (414, 431)


def example(failure, case, response):
    """The response is an example of the spec that violates its own schema; it is sent unchanged."""
    return (type(failure).__name__ == "JsonSchemaError"
            and response.headers.get("x-hmt-source", [""])[0] == "example")


def form(failure, case, response):
    """A form has no types, no lists of one item, no empty lists and objects, and no lists of objects. So a form that
    schemathesis considers invalid can be read as a valid value, and the other way round.
    """
    kind = type(failure).__name__
    if case.media_type != FORM or kind not in ("AcceptedNegativeData", "RejectedPositiveData"):
        return False
    wrong = wrong_places(case)
    if kind == "AcceptedNegativeData" and not (
            wrong <= {ParameterLocation.BODY, ParameterLocation.QUERY}
            and (ParameterLocation.QUERY not in wrong or readable_query(case, response))):
        return False
    body = case.operation.get_body_for_media_type(case.media_type)
    if body is None:
        return False
    sent = response.request.body or ""
    sent = sent.decode("latin-1") if isinstance(sent, bytes) else sent
    if not sent and not body.is_required:
        return kind == "AcceptedNegativeData"
    validator = make_validator(body.optimized_schema, case.operation.schema.adapter.jsonschema_validator_cls)
    return readable(sent, validator) == (kind == "AcceptedNegativeData")


def query(failure, case, response):
    """Like `form`, for the query of a request that was meant to be valid."""
    if type(failure).__name__ != "RejectedPositiveData" or not case.query:
        return False
    return not readable_query(case, response)


def readable_query(case, response):
    """Like `readable`, for the declared parameters of the query."""
    declared = case.operation.get_parameter_set(ParameterLocation.QUERY)
    names = declared.schema.get("properties", {})
    pairs = urllib.parse.urlparse(response.request.url).query.split("&")
    sent = [pair for pair in pairs if re.split(r"[=\[]", urllib.parse.unquote_plus(pair), maxsplit=1)[0] in names]
    return readable("&".join(sent), declared.get_strict_validator())


def xml(failure, case, response):
    """XML has no types and no lists of one item, so a value that was meant to be invalid can be read as a valid one."""
    if type(failure).__name__ != "AcceptedNegativeData" or "xml" not in (case.media_type or ""):
        return False
    body = case.operation.get_body_for_media_type(case.media_type)
    if body is None or not wrong_places(case) <= {ParameterLocation.BODY}:
        return False
    if not response.request.body and not body.is_required:
        return True
    validator = make_validator(body.optimized_schema, case.operation.schema.adapter.jsonschema_validator_cls)
    # An empty element is an empty text, object or list.
    return read_as_wanted(as_text(case.body), validator) or read_as_wanted(without_empty(as_text(case.body)), validator)


def without_empty(value):
    if isinstance(value, dict):
        return {name: without_empty(inner) for name, inner in value.items() if inner != ""}
    if isinstance(value, list):
        return [without_empty(inner) for inner in value]
    return value


def as_text(value):
    """A value as XML expresses it: without empty lists."""
    if isinstance(value, dict):
        return {name: as_text(inner) for name, inner in value.items() if inner != []}
    if isinstance(value, list):
        return [as_text(inner) for inner in value]
    return to_wire_string("" if value is None else value)


def yaml(failure, case, response):
    """schemathesis writes YAML 1.1, which omits quotes that YAML 1.2 needs (`1e5`). The same body in JSON, which is
    valid YAML in both versions, is accepted.
    """
    if type(failure).__name__ != "RejectedPositiveData" or "yaml" not in (case.media_type or ""):
        return False
    sent = response.request
    again = requests.request(sent.method, sent.url, data=json.dumps(case.body).encode(), timeout=30,
                             headers={name: value for name, value in sent.headers.items() if name != "Content-Length"})
    return again.status_code < 400


def wrong_places(case):
    """The invalid parts of the request; undeclared parameters are not errors in OpenAPI."""
    meta = case.meta
    mutations = getattr(meta.phase.data, "mutations", None) or ()
    named = {mutation.parameter_location for mutation in mutations
             if set(mutation.keywords) != {"additionalProperties"}}
    undeclared = {mutation.parameter_location for mutation in mutations} - named
    wrong = {place for place, component in meta.components.items() if component.mode.is_negative} - undeclared
    return wrong | named


def readable(sent, validator):
    """Whether a form can be read as a valid value."""
    value = {}
    for name, text in urllib.parse.parse_qsl(sent, keep_blank_values=True):
        keys = re.fullmatch(r"([^\[]+)((?:\[[^\]]*\])+)", name)
        path = [keys[1], *re.findall(r"\[([^\]]*)\]", keys[2])] if keys else [name]
        place(value, path, text)
    return read_as_wanted(value, validator)


def read_as_wanted(value, validator):
    """Whether a value that consists of texts is valid if each text is read as the type of its place."""
    for _ in range(200):
        error = next(iter(validator.iter_errors(value)), None)
        if error is None:
            return True
        if not any(change(value, at, wanted) for at, wanted in wishes(error)):
            return False
    return False


def place(value, path, text):
    for key in path[:-1]:
        if not isinstance(value.get(key), dict):
            value[key] = {}
        value = value[key]
    known = value.get(path[-1])
    value[path[-1]] = text if known is None else [*(known if isinstance(known, list) else [known]), text]


def wishes(error):
    """Places that require another type. An error of `anyOf` has the places of its branches."""
    if error.kind.name == "type":
        yield error.instance_path, [str(wanted) for wanted in error.kind.types]
    for branch in getattr(error.kind, "context", None) or ():
        for inner in branch:
            yield from wishes(inner)
    if error.kind.name in ("enum", "const"):
        yield error.instance_path, ["number", "boolean", "null"]


def change(value, path, wanted):
    """Converts a text at a place to the required type; returns whether that changed it."""
    if not path:
        return False
    for key in path[:-1]:
        value = value[key]
    key = path[-1]
    found = value[key]
    if isinstance(found, str):
        readings = {"boolean": {"true": True, "false": False}, "null": {"": None, "null": None}}
        for kind in wanted:
            if kind in readings and found in readings[kind]:
                value[key] = readings[kind][found]
                return True
            if kind in ("integer", "number"):
                try:
                    number = json.loads(found)
                except ValueError:
                    continue
                if isinstance(number, (int, float)) and not isinstance(number, bool):
                    value[key] = number
                    return True
        if "array" in wanted:
            value[key] = [found]
            return True
    if isinstance(found, dict) and "array" in wanted and all(name.isdigit() or not name for name in found):
        value[key] = list(found.values())
        return True
    return False


def untyped(failure, case, response):
    """The request has no Content-Type; its bytes decide what the body is."""
    return (type(failure).__name__ == "AcceptedNegativeData" and bool(response.request.body)
            and "content-type" not in {name.lower() for name in response.request.headers})


def header_of_http(failure, case, response):
    """OpenAPI ignores header parameters named Accept, Content-Type and Authorization."""
    named = re.search(r"parameter `(accept|content-type|authorization)` in header", str(failure), re.IGNORECASE)
    return type(failure).__name__ == "AcceptedNegativeData" and bool(named)


def no_content(failure, case, response):
    """The spec declares a body for a status that has none (RFC 9110, sections 15.3.5 and 15.4.5)."""
    kind = type(failure).__name__
    return kind in ("MissingContentType", "MalformedJson") and response.status_code in (204, 205, 304)


def allow(failure, case, response):
    """Other templates match the path too; the methods of these are allowed, and are answered."""
    if type(failure).__name__ != "AllowHeaderMismatch":
        return False
    path = urllib.parse.urlparse(response.request.url).path
    found = {"HEAD", "OPTIONS"}
    for template, item in case.operation.schema.raw_schema["paths"].items():
        pattern = re.sub(r"\\{[^{}]*\\}", "[^/]+", re.escape(template.split("?")[0].split("#")[0]))
        if re.fullmatch(pattern + "/?", path):
            found |= {method.upper() for method in item}
    allowed = {method.strip() for method in response.headers.get("allow", [""])[0].split(",")}
    return bool(allowed) and allowed <= found


REASONS = [too_long, example, form, query, xml, yaml, untyped, header_of_http, no_content, allow]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    reason = next((reason.__name__ for reason in REASONS if reason(failure, case, response)), None)
    with open(os.environ["HMT_FAILURES"], "a", encoding="utf-8") as lines:
        lines.write(json.dumps(record(reason, failure, case, response), default=str) + "\n")
    return reason is None


def record(reason, failure, case, response):
    def text(value):
        return (value.decode("latin-1") if isinstance(value, bytes) else str(value))[:20000]
    return {"reason": reason, "failure": type(failure).__name__, "operation": case.operation.label,
            "media": case.media_type, "url": text(response.request.url), "body": text(repr(case.body)),
            "sent": text(response.request.body or ""), "status": response.status_code,
            "answer": text(response.content), "why": text(failure)}
