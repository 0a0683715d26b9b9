//! Parameters of requests, in every style.

use serde_json::json;

use super::{ask, mock};

/// Each parameter accepts one value only, from the specification's table, so that no other
/// interpretation passes.
const STYLES: &str = r##"
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /simple/{v}: {get: {parameters: [{name: v, in: path, required: true, schema: {const: blue}}], responses: &ok {"204": {description: d}}}}
  /simple-array/{v}: {get: {parameters: [{name: v, in: path, required: true, schema: &array {type: array, const: [blue, black, brown]}}], responses: *ok}}
  /simple-object/{v}: {get: {parameters: [{name: v, in: path, required: true, schema: &object {type: object, properties: {R: {type: integer}, G: {type: integer}, B: {type: integer}}, const: {R: 100, G: 200, B: 150}}}], responses: *ok}}
  /simple-object-explode/{v}: {get: {parameters: [{name: v, in: path, required: true, explode: true, schema: *object}], responses: *ok}}
  /label/{v}: {get: {parameters: [{name: v, in: path, required: true, style: label, schema: {const: blue}}], responses: *ok}}
  /label-array/{v}: {get: {parameters: [{name: v, in: path, required: true, style: label, schema: *array}], responses: *ok}}
  /label-array-explode/{v}: {get: {parameters: [{name: v, in: path, required: true, style: label, explode: true, schema: *array}], responses: *ok}}
  /label-object/{v}: {get: {parameters: [{name: v, in: path, required: true, style: label, schema: *object}], responses: *ok}}
  /label-object-explode/{v}: {get: {parameters: [{name: v, in: path, required: true, style: label, explode: true, schema: *object}], responses: *ok}}
  /matrix/{color}: {get: {parameters: [{name: color, in: path, required: true, style: matrix, schema: {const: blue}}], responses: *ok}}
  /matrix-array/{color}: {get: {parameters: [{name: color, in: path, required: true, style: matrix, schema: *array}], responses: *ok}}
  /matrix-array-explode/{color}: {get: {parameters: [{name: color, in: path, required: true, style: matrix, explode: true, schema: *array}], responses: *ok}}
  /matrix-object/{color}: {get: {parameters: [{name: color, in: path, required: true, style: matrix, schema: *object}], responses: *ok}}
  /matrix-object-explode/{color}: {get: {parameters: [{name: color, in: path, required: true, style: matrix, explode: true, schema: *object}], responses: *ok}}
  /form: {get: {parameters: [{name: color, in: query, required: true, schema: {const: blue}}], responses: *ok}}
  /form-array: {get: {parameters: [{name: color, in: query, required: true, explode: false, schema: *array}], responses: *ok}}
  /form-array-explode: {get: {parameters: [{name: color, in: query, required: true, schema: *array}], responses: *ok}}
  /form-object: {get: {parameters: [{name: color, in: query, required: true, explode: false, schema: *object}], responses: *ok}}
  /form-object-explode: {get: {parameters: [{name: color, in: query, required: true, schema: *object}], responses: *ok}}
  /space: {get: {parameters: [{name: color, in: query, required: true, style: spaceDelimited, explode: false, schema: *array}], responses: *ok}}
  /space-object: {get: {parameters: [{name: color, in: query, required: true, style: spaceDelimited, explode: false, schema: *object}], responses: *ok}}
  /pipe: {get: {parameters: [{name: color, in: query, required: true, style: pipeDelimited, explode: false, schema: *array}], responses: *ok}}
  /pipe-object: {get: {parameters: [{name: color, in: query, required: true, style: pipeDelimited, explode: false, schema: *object}], responses: *ok}}
  /deep: {get: {parameters: [{name: color, in: query, required: true, style: deepObject, explode: true, schema: *object}], responses: *ok}}
  /deeper: {get: {parameters: [{name: f, in: query, style: deepObject, explode: true, schema: {type: object, properties: {a: {type: integer}, b: {type: object, properties: {c: {type: integer}}}, list: {type: array, items: {type: integer}}, items: {type: array, items: {type: object, properties: {n: {type: integer}}}}}}}], responses: *ok}}
  /header: {get: {parameters: [{name: X-Color, in: header, required: true, schema: {const: blue}}], responses: *ok}}
  /header-array: {get: {parameters: [{name: X-Color, in: header, required: true, schema: *array}], responses: *ok}}
  /header-object: {get: {parameters: [{name: X-Color, in: header, required: true, schema: *object}], responses: *ok}}
  /header-object-explode: {get: {parameters: [{name: X-Color, in: header, required: true, explode: true, schema: *object}], responses: *ok}}
  /cookie: {get: {parameters: [{name: color, in: cookie, required: true, schema: {const: blue}}], responses: *ok}}
  /cookie-array: {get: {parameters: [{name: color, in: cookie, required: true, explode: false, schema: *array}], responses: *ok}}
  /content: {get: {parameters: [{name: color, in: query, required: true, content: {application/json: {schema: *object}}}], responses: *ok}}
"##;

/// RFC 6570, sections 3.2.1 and 3.2.8, which OpenAPI 3.1.1 (appendix C) references for these
/// styles: values are percent-encoded, but the delimiters between them are not.
#[test]
fn an_encoded_delimiter_belongs_to_its_value() {
    let item = |more: &str| {
        format!(
            "schema: {{type: array, items: {{type: string}}, const: ['a,b', 'c|d', 'e;f']}}{more}"
        )
    };
    let numbers = "schema: {type: array, items: {type: integer}}, explode: false";
    let parameter = |place: &str, more: &str| {
        format!(
            "get: {{parameters: [{{name: v, in: {place}, required: true, {more}}}], responses: {{'204': {{description: d}}}}}}"
        )
    };
    let spec = format!(
        "openapi: 3.1.1\ninfo: {{title: t, version: '1'}}\nservers: [{{url: /base}}]\npaths:\n  '/simple/{{v}}/end': {{{}}}\n  '/label/{{v}}': {{{}}}\n  '/matrix/{{v}}': {{{}}}\n  /form: {{{}}}\n  /pipe: {{{}}}\n  /numbers: {{{}}}\n",
        parameter("path", &item("")),
        parameter("path", &item(", style: label")),
        parameter("path", &item(", style: matrix")),
        parameter("query", &item(", explode: false")),
        parameter("query", &item(", style: pipeDelimited, explode: false")),
        parameter("query", numbers),
    );
    let (_dir, server) = mock(&spec, &[]);
    for (path, good) in [
        ("/simple/a%2Cb,c%7Cd,e%3Bf/end", true),
        ("/base/simple/a%2Cb,c%7Cd,e%3Bf/end", true),
        ("/simple/a,b,c%7Cd,e%3Bf/end", false),
        ("/label/.a%2cb,c%7Cd,e%3Bf", true),
        ("/matrix/;v=a%2Cb,c%7Cd,e%3Bf", true),
        ("/form?x=1&v=a%2Cb,c%7Cd,e%3Bf", true),
        ("/form?v=a%2Cb%2Cc%7Cd,e%3Bf", false),
        ("/pipe?v=a%2Cb|c%7Cd|e%3Bf", true),
        // Many clients encode the whole list; only one interpretation makes sense then.
        ("/numbers?v=1%2C2%2C3", true),
        ("/numbers?v=1%2Cx", false),
    ] {
        let answer = ask(&server, &format!("GET {path}"), &[], "");
        assert_eq!(answer.status, if good { 204 } else { 422 }, "{path}: {}", answer.text());
    }
}

/// The table of OpenAPI 3.1.1, section 4.8.12.4 (Style Examples), and similar cases.
#[test]
fn every_style_is_read_as_the_specification_writes_it() {
    let (_dir, server) = mock(STYLES, &[]);
    let cookie = |text| vec![("Cookie", text)];
    let header = |text| vec![("X-Color", text)];
    for (path, headers, good) in [
        ("/simple/blue", vec![], true),
        ("/simple/blu", vec![], false),
        ("/simple-array/blue,black,brown", vec![], true),
        ("/simple-array/blue.black.brown", vec![], false),
        ("/simple-object/R,100,G,200,B,150", vec![], true),
        ("/simple-object/R=100,G=200,B=150", vec![], false),
        ("/simple-object-explode/R=100,G=200,B=150", vec![], true),
        ("/label/.blue", vec![], true),
        ("/label/blue", vec![], false),
        ("/label-array/.blue,black,brown", vec![], true),
        ("/label-array-explode/.blue.black.brown", vec![], true),
        ("/label-object/.R,100,G,200,B,150", vec![], true),
        ("/label-object-explode/.R=100.G=200.B=150", vec![], true),
        ("/matrix/;color=blue", vec![], true),
        ("/matrix/blue", vec![], false),
        ("/matrix/;other=blue", vec![], false),
        ("/matrix-array/;color=blue,black,brown", vec![], true),
        ("/matrix-array-explode/;color=blue;color=black;color=brown", vec![], true),
        ("/matrix-object/;color=R,100,G,200,B,150", vec![], true),
        ("/matrix-object-explode/;R=100;G=200;B=150", vec![], true),
        ("/form?color=blue", vec![], true),
        ("/form?color=", vec![], false),
        ("/form", vec![], false),
        ("/form-array?color=blue,black,brown", vec![], true),
        ("/form-array-explode?color=blue&color=black&color=brown", vec![], true),
        ("/form-array-explode?color=blue,black,brown", vec![], false),
        ("/form-object?color=R,100,G,200,B,150", vec![], true),
        ("/form-object-explode?R=100&G=200&B=150", vec![], true),
        ("/form-object-explode?R=100&G=200", vec![], false),
        ("/space?color=blue%20black%20brown", vec![], true),
        ("/space?color=blue+black+brown", vec![], true),
        ("/space-object?color=R%20100%20G%20200%20B%20150", vec![], true),
        ("/pipe?color=blue%7Cblack%7Cbrown", vec![], true),
        ("/pipe?color=blue|black|brown", vec![], true),
        ("/pipe-object?color=R%7C100%7CG%7C200%7CB%7C150", vec![], true),
        ("/deep?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150", vec![], true),
        ("/deep?color[R]=100&color[G]=200&color[B]=150", vec![], true),
        ("/deep?color[R]=100&color[G]=200", vec![], false),
        ("/deeper?f[a]=1&f[b][c]=2&f[list][]=3&f[list][]=4&f[items][0][n]=5", vec![], true),
        ("/deeper?f[a]=1&f[b][c]=x", vec![], false),
        ("/deeper?f[list][0]=3&f[list][1]=x", vec![], false),
        ("/deeper?f[items][0][n]=x", vec![], false),
        ("/header", header("blue"), true),
        ("/header", header("red"), false),
        ("/header", vec![], false),
        ("/header-array", header("blue,black,brown"), true),
        ("/header-array", header("blue, black, brown"), true),
        ("/header-object", header("R,100,G,200,B,150"), true),
        ("/header-object-explode", header("R=100,G=200,B=150"), true),
        ("/cookie", cookie("a=b; color=blue"), true),
        ("/cookie", cookie("a=b"), false),
        ("/cookie-array", cookie("color=blue,black,brown"), true),
        ("/content?color=%7B%22R%22:100,%22G%22:200,%22B%22:150%7D", vec![], true),
        ("/content?color=R", vec![], false),
    ] {
        let answer = ask(&server, &format!("GET {path}"), &headers, "");
        let status = if good { 204 } else { 422 };
        assert_eq!(answer.status, status, "{path} {headers:?}: {}", answer.text());
    }
}

const KINDS: &str = r##"
openapi: 3.0.4
info: {title: t, version: "1"}
paths:
  /x:
    parameters: [{name: shared, in: query, schema: {type: boolean}}]
    get:
      parameters:
      - {name: int, in: query, schema: {type: integer, minimum: 1, maximum: 9}}
      - {name: num, in: query, schema: {type: number, multipleOf: 0.5}}
      - {name: flag, in: query, schema: {type: boolean}}
      - {name: day, in: query, schema: {type: string, format: date}}
      - {name: id, in: query, schema: {type: string, format: uuid}}
      - {name: kind, in: query, schema: {type: string, enum: [a, b]}}
      - {name: code, in: query, schema: {type: string, pattern: "^[A-Z]{2}$"}}
      - {name: password, in: query, schema: {type: string, pattern: '^(?=.*\d)[a-z\d]+$'}}
      - {name: list, in: query, schema: {type: array, items: {type: integer}, minItems: 2, uniqueItems: true}}
      - {name: either, in: query, schema: {oneOf: [{type: integer}, {type: boolean}]}}
      - {name: nil, in: query, schema: {type: integer, nullable: true}}
      - {name: empty, in: query, allowEmptyValue: true, schema: {type: integer}}
      - {name: empties, in: query, allowEmptyValue: true, schema: {type: array, items: {type: integer}}}
      - {name: Accept, in: header, required: true, schema: {type: integer}}
      responses: {"204": {description: d}}
"##;

#[test]
fn values_of_every_kind() {
    let (_dir, server) = mock(KINDS, &[]);
    for (query, at) in [
        ("int=5", ""),
        ("int=0", "int"),
        ("int=10", "int"),
        ("int=1.5", "int"),
        ("int=1.0", ""),
        ("int=+5", "int"),
        ("int=", "int"),
        ("int=5&int=6", "int"),
        ("num=1.5", ""),
        ("num=1.2", "num"),
        ("flag=true", ""),
        ("flag=1", "flag"),
        ("shared=false", ""),
        ("shared=no", "shared"),
        ("day=2024-02-29", ""),
        ("day=2023-02-29", "day"),
        ("id=00000000-0000-4000-8000-000000000000", ""),
        ("id=1", "id"),
        ("kind=a", ""),
        ("kind=c", "kind"),
        ("code=AB", ""),
        ("code=ABC", "code"),
        ("password=a1", ""),
        ("password=ab", "password"),
        ("empties=", ""),
        ("empties=&empties=1", "empties/0"),
        ("list=1&list=2", ""),
        ("list=1", "list"),
        ("list=1&list=1", "list"),
        ("list=1&list=x", "list/1"),
        ("either=1", ""),
        ("either=true", ""),
        ("either=x", "either"),
        ("empty=", ""),
        ("unknown=1", ""),
    ] {
        let answer = ask(&server, &format!("GET /x?{query}"), &[], "");
        if at.is_empty() {
            assert_eq!(answer.status, 204, "{query}: {}", answer.text());
        } else {
            assert_eq!(answer.status, 422, "{query}");
            let violations = answer.json()["violations"].clone();
            assert_eq!(violations[0]["in"], json!("query"), "{query}");
            assert_eq!(violations[0]["at"], json!(at), "{query}: {violations}");
        }
    }
}
