#!/usr/bin/env python3
"""Checks a spec of hmt-build against the recordings from which it was built, without any code of HMT.

usage: scripts/check-spec.py SPEC RECORDINGS...

openapi-spec-validator checks the spec. Then python jsonschema (in the OpenAPI dialects of openapi-schema-validator)
validates every recorded body against the schema that the spec has for its path, method, status and media type. A
recording that the spec does not describe is also an error, except responses of 404, 405, 410 and 501 to paths that
the spec does not have.
Exit status: 0 everything is valid, 1 it is not.
"""

import base64
import email.policy
import json
import pathlib
import re
import sys
import urllib.parse
from xml.etree import ElementTree

import yaml
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import validate

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
UNSERVED = {404, 405, 410, 501}


class Spec:
    """A document, in which the operation, response and schema of a recording can be looked up."""

    def __init__(self, document):
        self.document = document
        self.dialect = OAS30Validator if document["openapi"].startswith("3.0") else OAS31Validator
        self.routes = sorted(
            ((self.pattern(path), path, item) for path, item in document.get("paths", {}).items()),
            # The most concrete template first: fewest parameters, then the most literal text.
            key=lambda route: (route[1].count("{"), -len(re.sub(r"\{[^}]*\}", "", route[1]))),
        )

    @staticmethod
    def pattern(path):
        literal = [re.escape(part) for part in re.split(r"\{[^}]*\}", path.rstrip("/"))]
        return re.compile("[^/]+".join(literal) + "/?")

    def operation(self, method, path):
        """(template, operation), (template, None) if the path lacks the method, or (None, None)."""
        template = None
        for pattern, candidate, item in self.routes:
            if pattern.fullmatch(path):
                template = candidate
                if method in item and method in METHODS:
                    return candidate, item[method]
        return template, None

    def deref(self, value):
        while isinstance(value, dict) and "$ref" in value:
            target = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                part = urllib.parse.unquote(part).replace("~1", "/").replace("~0", "~")
                target = target[part]
            value = target
        return value

    def response(self, operation, status):
        responses = operation.get("responses", {})
        for name in (str(status), f"{status // 100}XX", "default"):
            if name in responses:
                return self.deref(responses[name])
        return None

    def problems(self, schema, value):
        """The errors of a value, as reported by python jsonschema."""
        root = {key: part for key, part in self.document.items() if key != "$ref"}
        if "$ref" in schema:
            root["$ref"] = schema["$ref"]
        else:
            root["x-here"] = schema
            root["$ref"] = "#/x-here"
        errors = self.dialect(root, format_checker=self.dialect.FORMAT_CHECKER).iter_errors(value)
        return [f"{error.json_path}: {error.message[:200]}" for error in errors]


def header(message, name):
    for key, value in message.get("headers", {}).items():
        if key.lower() == name:
            return value[0] if isinstance(value, list) else value
    return None


def body_of(exchange, side):
    """The body's bytes, or None if there is no body or only a part of it was recorded."""
    meta = exchange.get("meta", {}).get("hmt", {})
    if side in meta.get("truncated", {}) or "incomplete" in meta:
        return None
    if f"{side}BodyBase64" in meta:
        return base64.b64decode(meta[f"{side}BodyBase64"])
    text = exchange[side].get("body")
    return None if text is None else text.encode()


def media(content, declared):
    """The media type object for a content type, by name, then by range."""
    name = (declared or "").split(";")[0].strip().lower()
    for key in (name, name.split("/")[0] + "/*", "*/*"):
        for candidate, value in content.items():
            if candidate.split(";")[0].strip().lower() == key:
                return value
    return next(iter(content.values())) if not name and content else None


def parts(declared, body):
    """The named parts of multipart/form-data as pairs, parsed by Python's email parser."""
    head = f"Content-Type: {declared}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    if not message.is_multipart() or message.defects:
        raise ValueError("no multipart")
    pairs = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if name is not None:
            content = part.get_payload(decode=True)
            is_json = part.get_content_type() == "application/json"
            pairs.append((name, json.loads(content) if is_json else content.decode("utf-8", "replace")))
    return pairs


def typed(spec, schema, text):
    """A text converted to the type of its schema."""
    kind = spec.deref(schema)
    if text == "" and kind.get("nullable"):
        return None
    if kind.get("type") in ("integer", "number", "boolean"):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return text


def tree(pairs, properties):
    """Texts by their names. Names in brackets are members and items, unless the schema has them literally."""
    root = {}
    for name, value in pairs:
        base, brackets, rest = name.partition("[")
        keys = [name]
        if base and brackets and rest.endswith("]") and name not in properties:
            keys = [base, *rest[:-1].split("][")]
        node = root
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node.setdefault(keys[-1], []).append(value)
    return root


def fields(spec, schema, node):
    """A tree of texts converted to the types of its schema."""
    kind = spec.deref(schema)
    if isinstance(node, list):
        if kind.get("type") == "array":
            return [typed(spec, kind.get("items", {}), text) if isinstance(text, str) else text for text in node]
        return typed(spec, schema, node[-1]) if isinstance(node[-1], str) else node[-1]
    if kind.get("type") == "array":
        items = []
        for key, value in node.items():
            value = value if isinstance(value, dict) or key == "" else [value[-1]]
            many = key == "" and isinstance(value, list)
            of = kind.get("items", {})
            items += [typed(spec, of, text) for text in value] if many else [fields(spec, of, value)]
        return items
    properties = kind.get("properties", {})
    return {key: fields(spec, properties.get(key, {}), value) for key, value in node.items()}


def form_value(spec, schema, pairs):
    """The fields of a form, each converted to the type of the schema, because forms contain only text."""
    return fields(spec, schema, tree(pairs, spec.deref(schema).get("properties", {})))


def xml_value(spec, schema, element):
    """An element as a value of its schema, by the keywords of the XML Object."""
    kind = spec.deref(schema)
    if kind.get("type") == "array":
        return [xml_value(spec, kind.get("items", {}), child) for child in element]
    if kind.get("type") != "object":
        return typed(spec, schema, element.text or "") if not len(element) else {}
    if kind.get("nullable") and not len(element) and not element.attrib and not element.text:
        return None
    result = {}
    for name, property_schema in kind.get("properties", {}).items():
        target = spec.deref(property_schema)
        many = target.get("type") == "array" and not target.get("xml", {}).get("wrapped")
        xml = spec.deref(target.get("items", {})).get("xml", {}) if many else target.get("xml", {})
        wanted, namespace = xml.get("name", name), xml.get("namespace")
        if xml.get("attribute"):
            found = element.get(f"{{{namespace}}}{wanted}" if namespace else wanted)
            if found is not None:
                result[name] = typed(spec, property_schema, found)
            continue
        own = re.match(r"\{[^}]*\}|", element.tag)[0]
        tag = f"{{{namespace}}}{wanted}" if namespace else f"{own}{wanted}"
        found = [child for child in element if child.tag == tag]
        if many and found:
            result[name] = [xml_value(spec, target.get("items", {}), child) for child in found]
        elif found:
            result[name] = xml_value(spec, property_schema, found[0])
    return result


def values_of_sequence(name, text):
    """The values of NDJSON, JSON text sequences and event streams; data that is not JSON is text."""
    if name == "text/event-stream":
        events = re.split(r"\r?\n\r?\n", text)[:-1]
        data = ["\n".join(re.findall(r"(?m)^data: ?(.*?)\r?$", event)) for event in events]
        for one in filter(str.strip, data):
            try:
                yield json.loads(one)
            except ValueError:
                yield one
    else:
        for one in filter(str.strip, text.split("\x1e" if name.endswith("json-seq") else "\n")):
            yield json.loads(one)


def value_of(spec, schema, declared, body):
    name = (declared or "").split(";")[0].strip().lower()
    if name == "application/json" or name.endswith("+json") or not name:
        return json.loads(body)
    # A JSON object or array under a text or form type is JSON.
    if (name.startswith("text/") or name == "application/x-www-form-urlencoded") and body.lstrip()[:1] in (b"{", b"["):
        try:
            return json.loads(body)
        except ValueError:
            pass
    if name == "application/x-www-form-urlencoded":
        return form_value(spec, schema, urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    if name == "multipart/form-data":
        return form_value(spec, schema, parts(declared, body))
    if re.search(r"[/+]xml$", name) and spec.deref(schema).get("type") in ("object", "array"):
        return xml_value(spec, schema, ElementTree.fromstring(body))
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()


def check_body(spec, message, content, body):
    """Problems of one body against the content that the spec declares."""
    if not body:
        return []
    declared = header(message, "content-type")
    found = media(content, declared)
    if found is None:
        return [f"the spec has no {declared or 'body'}"]
    schema = found.get("schema")
    if "x-hmt-item-schema" in found:
        name, items = declared.split(";")[0].strip().lower(), found["x-hmt-item-schema"]
        values = values_of_sequence(name, body.decode())
        return [problem for value in values for problem in spec.problems(items, value)]
    if schema is None or schema == {}:
        return []
    try:
        return spec.problems(schema, value_of(spec, schema, declared, body))
    except (ValueError, ElementTree.ParseError):
        # For the builder, a body that does not match its header is opaque: any text, or nothing at all.
        try:
            return spec.problems(schema, body.decode())
        except UnicodeDecodeError:
            return []


def check(spec, exchange, bodies):
    request, response = exchange["request"], exchange.get("response")
    if response is None:
        return []
    status = int(response["statusCode"])
    path = request.get("pathname") or urllib.parse.urlsplit(request.get("path") or request.get("url", "")).path or "/"
    template, operation = spec.operation(request["method"], path)
    if operation is None:
        return [] if status in UNSERVED else [f"no operation for {request['method']} {path}"]
    declared = spec.response(operation, status)
    if declared is None:
        return [f"{template} has no answer {status}"]
    problems = check_body(spec, response, declared.get("content", {}), body_of(exchange, "response"))
    bodies.append(template)
    if status < 400:
        wanted = spec.deref(operation.get("requestBody", {}))
        body = body_of(exchange, "request")
        if body and "requestBody" not in operation:
            return [*problems, "the spec has no request body"]
        problems += check_body(spec, request, wanted.get("content", {}), body)
    return problems


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    document = yaml.load(pathlib.Path(sys.argv[1]).read_text(), Loader=yaml.CSafeLoader)
    validate(document)
    spec, faults, bodies, lines = Spec(document), 0, [], 0
    for name in sys.argv[2:]:
        for number, line in enumerate(pathlib.Path(name).read_text().split("\n"), 1):
            if not line.strip():
                continue
            lines += 1
            for problem in check(spec, json.loads(line), bodies):
                faults += 1
                if faults <= 20:
                    print(f"{name}:{number}: {problem}", file=sys.stderr)
    paths = len(document.get("paths", {}))
    print(f"{sys.argv[1]}: a valid OpenAPI {document['openapi']}, {paths} paths; {lines} recordings, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
