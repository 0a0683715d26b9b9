use proptest::prelude::*;
use serde_json::Value;

use super::super::model::{Exchange, Request, Response};
use super::super::{parse_line, write_line};
use super::*;

const KEY: [u8; 32] = [7; 32];

fn redactor() -> Redactor {
    Redactor::new(&KEY, &RedactOptions::default()).unwrap()
}

fn with(add: &[&str], add_json: &[&str], keep: &[&str]) -> Redactor {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let options = RedactOptions { add: owned(add), add_json: owned(add_json), keep: owned(keep) };
    Redactor::new(&KEY, &options).unwrap()
}

/// Replaces each pseudonym by `#`, checking that it is one.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let end = at + MARK.len() + LENGTH;
        assert!(is_pseudonym(&rest[at..end]), "{text}");
        shown.push_str(&rest[..at]);
        shown.push('#');
        rest = &rest[end..];
    }
    shown + rest
}

fn header_of(redactor: &Redactor, name: &str, value: &str) -> String {
    let mut exchange = Exchange::default();
    exchange.request.headers = vec![(name.to_owned().into(), value.to_owned().into())];
    redactor.apply(&mut exchange);
    shown(&exchange.request.headers[0].1)
}

fn body_of(redactor: &Redactor, media_type: &str, body: &str) -> String {
    let mut exchange = Exchange {
        response: Some(Response {
            status: 200,
            headers: vec![("content-type".into(), media_type.to_owned().into())],
            body: Body::from_bytes(body.as_bytes().to_vec()),
            timestamp: None,
        }),
        ..Exchange::default()
    };
    redactor.apply(&mut exchange);
    shown(exchange.response.unwrap().body.as_str().unwrap())
}

#[test]
fn pseudonyms_are_keyed_and_stable() {
    let redactor = redactor();
    let one = redactor.pseudonym("secret");
    assert!(is_pseudonym(&one));
    assert_eq!(one, redactor.pseudonym("secret"));
    assert_ne!(one, redactor.pseudonym("Secret"));
    assert_eq!(redactor.pseudonym(&one), one);
    assert_eq!(redactor.pseudonym(""), "");
    let other = Redactor::new(&[8; 32], &RedactOptions::default()).unwrap();
    assert_ne!(other.pseudonym("secret"), one);
    // HMAC-SHA256 as any other program computes it.
    assert_eq!(one, "hmt~6Pmsx2SYwCimYWLtyeZZeg");
}

#[test]
fn headers() {
    let redactor = redactor();
    for (name, value, expected) in [
        ("authorization", "Bearer abc.def", "Bearer #"),
        ("authorization", "Basic dXNlcjpwdw==", "Basic #"),
        ("authorization", "Custom-1  x y", "Custom-1  #"),
        ("authorization", "justatoken", "#"),
        ("proxy-authorization", "Basic x", "Basic #"),
        ("x-auth-token", "Bearer x", "Bearer #"),
        ("x-auth-token", "two words", "#"),
        ("x-api-key", "k", "#"),
        ("x-goog-api-key", "k", "#"),
        ("apikey", "k", "#"),
        ("x-session-id", "1", "#"),
        ("cookie", "a=1; b=\"2\";c=;d", "a=#; b=\"#\";c=;d"),
        ("set-cookie", "sid=abc; Path=/; HttpOnly; Secure", "sid=#; Path=/; HttpOnly; Secure"),
        ("set-cookie", "sid=abc", "sid=#"),
        (
            "location",
            "https://u:p@h/cb?code=1&access_token=x%20y#id_token=z&state=1",
            "https://#@h/cb?code=1&access_token=##id_token=#&state=1",
        ),
        ("location", "/next?token=1", "/next?token=#"),
        ("location", "https://h/#/cb?token=1&x=2", "https://h/#/cb?token=#&x=2"),
        ("location", "https://h/a@b?x=@", "https://h/a@b?x=@"),
        ("referer", "//user@h/?api_key=1", "//#@h/?api_key=#"),
        ("access-control-allow-credentials", "true", "true"),
        ("accept", "Bearer x", "Bearer x"),
        ("authorization", "", ""),
        ("authorization", "Bearer ", "#"),
    ] {
        assert_eq!(header_of(&redactor, name, value), expected, "{name}: {value}");
    }
}

#[test]
fn equal_secrets_match_wherever_they_are() {
    let redactor = redactor();
    let mut exchange = Exchange {
        request: Request {
            query: vec![("token".into(), "s3 cret".into()), ("page".into(), "1".into())],
            headers: vec![
                ("authorization".into(), "Bearer s3 cret".into()),
                ("cookie".into(), "sid=s3 cret".into()),
                ("referer".into(), "http://h/?token=s3+cret".into()),
                ("content-type".into(), "application/json".into()),
            ],
            body: Body::Text(r#"{"password":"s3\u0020cret"}"#.into()),
            ..Request::default()
        },
        response: Some(Response {
            status: 200,
            headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
            body: Body::Text("a=1&access_token=s3%20cret&b".into()),
            timestamp: None,
        }),
        ..Exchange::default()
    };
    redactor.apply(&mut exchange);
    let mut line = Vec::new();
    write_line(&exchange, &mut line);
    let line = String::from_utf8(line).unwrap();
    let pseudonym = redactor.pseudonym("s3 cret");
    // The query stands in `path` and in `query`.
    assert_eq!(line.matches(&pseudonym).count(), 7, "{line}");
    assert!(!line.contains("cret\""), "{line}");
    assert_eq!(
        exchange.meta.redacted,
        ["access_token", "authorization", "cookie", "password", "token"]
    );
    let before = exchange.clone();
    redactor.apply(&mut exchange);
    assert_eq!(exchange, before, "a second time changes nothing");
}

#[test]
fn json_keeps_every_other_byte() {
    let redactor = redactor();
    for (json, expected) in [
        (r#"{ "token" : "x" , "a":[1, 2.50e1] }"#, r##"{ "token" : "#" , "a":[1, 2.50e1] }"##),
        (r#"{"a":[{"b":{"PassWord":"x\"y\\"}}]}"#, r##"{"a":[{"b":{"PassWord":"#"}}]}"##),
        (r#"{"pass\u0077ord":"x","u":"\u00e9"}"#, r##"{"pass\u0077ord":"#","u":"\u00e9"}"##),
        (r#"{"token":12,"t":12}"#, r##"{"token":"#","t":12}"##),
        (r#"{"token":-1.5e3}"#, r##"{"token":"#"}"##),
        (
            r#"{"token":null,"secret":true,"password":""}"#,
            r#"{"token":null,"secret":true,"password":""}"#,
        ),
        (
            r#"{"session":{"id":1,"user":{"name":"n"},"l":["a",2,null,[3]]},"x":"y"}"#,
            r##"{"session":{"id":"#","user":{"name":"#"},"l":["#","#",null,["#"]]},"x":"y"}"##,
        ),
        (
            r#"[{"secret":[]},{"secret":{}},"token","x"]"#,
            r#"[{"secret":[]},{"secret":{}},"token","x"]"#,
        ),
        (r#"{"token":"Bearer x"}"#, r##"{"token":"Bearer #"}"##),
        (r#"{"a":"token\":\"x"}"#, r#"{"a":"token\":\"x"}"#),
        (r#""token""#, r#""token""#),
        ("{\"token\":\"x\"}\n", "{\"token\":\"#\"}\n"),
        // Cut short.
        (r#"{"a":1,"token":"ab"#, r##"{"a":1,"token":"#"##),
        (r#"{"a":1,"token":"ab\"#, r##"{"a":1,"token":"#"##),
        (r#"{"a":1,"token":12"#, r##"{"a":1,"token":"#""##),
        (r#"{"a":1,"tok"#, r#"{"a":1,"tok"#),
        (r#"{"a":1,"token":{"x":["y"#, r##"{"a":1,"token":{"x":["#"##),
    ] {
        assert_eq!(body_of(&redactor, "application/json", json), expected);
    }
}

#[test]
fn text_with_json_in_it() {
    let redactor = redactor();
    for (media_type, text, expected) in [
        ("application/json", r#"{"token":"x",}{"token":"y"}"#, r##"{"token":"#",}{"token":"#"}"##),
        (
            "application/x-ndjson",
            "{\"token\":\"x\"}\n{\"a\":1,\"token\" : 5}\n",
            "{\"token\":\"#\"}\n{\"a\":1,\"token\" : \"#\"}\n",
        ),
        (
            "text/event-stream",
            "data: {\"session\":{\"a\":\"b\"}}\n\ndata: \"token\"\n",
            "data: {\"session\":{\"a\":\"#\"}}\n\ndata: \"token\"\n",
        ),
        (
            "text/html",
            "<p title='5\" wide'><script>x={\"api_key\":\"k\"}</script>",
            "<p title='5\" wide'><script>x={\"api_key\":\"#\"}</script>",
        ),
        ("text/plain", "the token is x", "the token is x"),
        ("", "user=u&password=p", "user=u&password=#"),
        ("", "{\"password\":\"p\"}", "{\"password\":\"#\"}"),
        ("image/svg+xml", "<a>\"token\":\"x\"</a>", "<a>\"token\":\"#\"</a>"),
    ] {
        assert_eq!(body_of(&redactor, media_type, text), expected);
    }
}

#[test]
fn forms_and_parts() {
    let redactor = redactor();
    let form = "user=u&pass%77ord=p+q%26&empty_token=&flag&x=%zz";
    assert_eq!(
        body_of(&redactor, "application/x-www-form-urlencoded; charset=utf-8", form),
        "user=u&pass%77ord=#&empty_token=&flag&x=%zz"
    );
    let parts = |a: &str, b: &str| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nu\r\n--B\r\ncontent-disposition: form-data; filename=\"token\"; name=\"password\"\r\n\r\n{a}\r\n--B\r\nContent-Disposition: form-data; name=\"doc\"\r\nContent-Type: application/json\r\n\r\n{b}\r\n--B--\r\n"
        )
    };
    let media_type = "multipart/form-data; boundary=\"B\"";
    assert_eq!(
        body_of(&redactor, media_type, &parts("p\r\nq", "{\"token\":\"t\"}")),
        parts("#", "{\"token\":\"#\"}")
    );
    let cut = "--B\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc";
    assert_eq!(body_of(&redactor, media_type, cut), cut.replace("abc", "#"));
    // What looks like the syntax around a name or a content is part of it.
    let odd = "--B\r\nContent-Disposition: form-data; name=\"my;password\"; filename=\"a;b\"\r\n\r\nx--B\r\n--By\r\n--B--\r\n";
    assert_eq!(body_of(&redactor, media_type, odd), odd.replace("x--B\r\n--By", "#"));
}

#[test]
fn names_and_pointers_of_the_user() {
    let redactor = with(
        &["x-my-*", "ssn"],
        &["/user/phones/*/number", "/list/1", "/a~1b"],
        &["*-id", "csrf_token", "theme"],
    );
    assert_eq!(header_of(&redactor, "x-my-thing", "v"), "#");
    assert_eq!(header_of(&redactor, "x-session-id", "v"), "v");
    assert_eq!(header_of(&redactor, "cookie", "theme=dark; sid=1"), "theme=dark; sid=#");
    let json = r#"{"ssn":"1","csrf_token":"c","user":{"phones":[{"number":"1","kind":"home"},{"number":2}]},"list":["a","b",{"c":["d"]}],"a/b":"x","number":"kept"}"#;
    let expected = r##"{"ssn":"#","csrf_token":"c","user":{"phones":[{"number":"#","kind":"home"},{"number":"#"}]},"list":["a","#",{"c":["d"]}],"a/b":"#","number":"kept"}"##;
    assert_eq!(body_of(&redactor, "application/json", json), expected);
    let whole = with(&[], &[""], &[]);
    assert_eq!(body_of(&whole, "application/json", r#"["a",1]"#), r##"["#","#"]"##);
    let options = RedactOptions { add_json: vec!["a/b".to_owned()], ..RedactOptions::default() };
    assert!(Redactor::new(&KEY, &options).is_err());
    let kept = with(&[], &[], &["cookie", "sid"]);
    assert_eq!(header_of(&kept, "cookie", "sid=1; session=2; a=3"), "sid=1; session=#; a=3");
}

#[test]
fn binary_bodies_stay_but_broken_json_does_not_hide_secrets() {
    let redactor = redactor();
    let run = |media_type: &str, bytes: &[u8]| {
        let mut body = Body::from_bytes(bytes.to_vec());
        let headers = vec![("content-type".into(), media_type.to_owned().into())];
        redactor.body(&mut body, &headers, &mut Found::new());
        shown(&String::from_utf8_lossy(body.as_bytes()))
    };
    // Cut within a character.
    let cut = b"{\"token\":\"x\",\"name\":\"\xe2\x82";
    assert_eq!(run("application/json", cut), "{\"token\":\"#\",\"name\":\"\u{fffd}");
    let png = b"\x89PNG\xff\"token\":\"x\"";
    assert_eq!(run("image/png", png), String::from_utf8_lossy(png));
}

#[test]
fn deep_bodies_are_walked_without_recursion() {
    let deep = format!("{}\"token\"{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(body_of(&redactor(), "application/json", &deep), deep);
    let deep = format!("{}{{\"token\":\"x\"}}", "{\"a\":".repeat(100_000));
    assert!(body_of(&redactor(), "application/json", &deep).ends_with("{\"token\":\"#\"}"));
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "CANARY|[a-z\\\\\"é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("token|name|my password|[a-c\"\\\\]{0,3}", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The same replacement on a tree.
fn expected(value: &Value, secret: bool, redactor: &Redactor) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| expected(item, secret, redactor)).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| {
                    let secret = secret || name.contains("token") || name.contains("password");
                    (name.clone(), expected(value, secret, redactor))
                })
                .collect(),
        ),
        Value::String(text) if secret => Value::String(redactor.pseudonym(text)),
        Value::Number(number) if secret => Value::String(redactor.pseudonym(&number.to_string())),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn the_walk_equals_a_replacement_on_the_tree(value in json(), pretty in any::<bool>()) {
        let redactor = redactor();
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let hidden = redactor.bytes(text.as_bytes(), "application/json", true, &mut Found::new());
        let hidden = hidden.unwrap_or_else(|| text.clone().into_bytes());
        let tree: Value = serde_json::from_slice(&hidden).unwrap();
        prop_assert_eq!(tree, expected(&value, false, &redactor));
    }

    #[test]
    fn no_cut_shows_more_than_the_whole_does(value in json(), at in any::<prop::sample::Index>()) {
        let redactor = redactor();
        let text = Value::Array(vec![serde_json::json!({"token": value})]).to_string();
        let start = text.find(':').unwrap() + 1;
        let cut = start + at.index(text.len() - start);
        let hidden = redactor
            .bytes(&text.as_bytes()[..cut], "application/json", true, &mut Found::new())
            .unwrap_or_else(|| text.as_bytes()[..cut].to_vec());
        prop_assert!(!String::from_utf8_lossy(&hidden).contains("CANARY"));
    }

    #[test]
    fn nothing_makes_it_panic(
        text in "[\\[\\]{}\",:\\\\ a=&;-]{0,12}(token)?[\\[\\]{}\",:\\\\ 1=&;-]{0,20}",
        media_type in "(application/json|text/plain|multipart/form-data; boundary=-|)",
    ) {
        let redactor = with(&[], &["/*/0"], &["a"]);
        redactor.bytes(text.as_bytes(), &media_type, true, &mut Found::new());
        let mut exchange = Exchange::default();
        for name in ["cookie", "set-cookie", "location", "authorization"] {
            exchange.request.headers.push((name.into(), text.clone().into()));
        }
        redactor.apply(&mut exchange);
    }
}

#[test]
fn recordings_stay_readable() {
    let line = br#"{"request":{"method":"get","path":"/a?token=x","host":"h","headers":{"Authorization":"Bearer y"}},"response":{"statusCode":200,"body":"{\"secret\":\"z\"}","headers":{"content-type":"application/json"}}}"#;
    let mut exchange = parse_line(line).unwrap();
    redactor().apply(&mut exchange);
    let mut out = Vec::new();
    write_line(&exchange, &mut out);
    assert_eq!(parse_line(&out).unwrap(), exchange);
}
