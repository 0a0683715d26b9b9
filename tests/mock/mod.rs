//! Tests of the mock, a file for each rule. The expectations come from OpenAPI or an RFC, which
//! they cite.

mod admin;
mod bodies;
mod callbacks;
mod faults;
mod firing;
mod journal;
mod latest;
mod matching;
mod negotiation;
mod oauth;
mod overrides;
mod page;
mod parameters;
mod peers;
mod preferences;
mod recordings;
mod references;
mod reflection;
mod responses;
mod routing;
mod security;
mod serving;
mod specs;
mod state;
mod state_annotated;
mod state_file;
mod state_lists;
mod steady;
mod validity;
mod webhooks;

use crate::harness::{Dir, Response, Server};

/// An API with most of the features that a mock must support.
const SHOP: &str = r##"
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers:
- url: https://shop.test/v1
paths:
  /items:
    get:
      parameters:
      - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 3}}
      responses:
        "200":
          description: all
          headers:
            X-Total: {required: true, schema: {type: integer, minimum: 5, maximum: 5}}
            X-Optional: {schema: {type: string}}
            Content-Length: {required: true, schema: {type: integer}}
          content:
            application/json:
              schema: {type: array, minItems: 1, items: {$ref: "#/components/schemas/Item"}}
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Item"}
      responses:
        "201": {description: made}
        "400":
          description: wrong
          content:
            application/json:
              example: {error: declared}
  /items/{id}:
    get:
      parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        "200":
          description: one
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Item"}
              examples:
                cheap: {value: {name: nail, price: 1}}
                dear: {value: {name: saw, price: 99}}
            text/plain:
              schema: {type: string}
              example: a nail
        "404":
          description: none
          content:
            application/json:
              example: {error: gone}
        default:
          description: else
          content:
            application/json:
              schema: {type: object}
  /items/newest:
    get:
      responses:
        "200": {description: literal, content: {text/plain: {example: newest}}}
  /secret:
    get:
      security: [{key: []}, {login: []}]
      responses:
        "204": {description: fine}
  /tree:
    get:
      responses:
        "200":
          description: cyclic
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Tree"}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    login: {type: http, scheme: basic}
  schemas:
    Item:
      type: object
      required: [name, price]
      properties:
        name: {type: string, minLength: 1}
        price: {type: number, minimum: 0}
        made: {type: string, format: date-time}
    Tree:
      type: object
      required: [value, children]
      properties:
        value: {type: integer}
        children: {type: array, items: {$ref: "#/components/schemas/Tree"}}
x-hmt-data:
  Item: [{name: nail, price: 1}]
"##;

fn mock(spec: &str, args: &[&str]) -> (Dir, Server) {
    let dir = Dir::new();
    dir.write("spec.yaml", spec);
    let program = dir.program("hmt-mock").args(["-p", "0", "-a", "0", "spec.yaml"]).args(args);
    let server = Server::start(program);
    (dir, server)
}

fn source(answer: &Response) -> &str {
    answer.header("x-hmt-source").unwrap_or("none")
}

/// Sends `METHOD /path` with headers and, unless it is empty, a body.
fn ask(server: &Server, what: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let (method, path) = what.split_once(' ').unwrap();
    let mut request = server.request(method, path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if body.is_empty() { request.send() } else { request.body(body).send() }
}
