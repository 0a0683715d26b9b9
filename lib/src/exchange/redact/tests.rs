mod properties;
mod structures;

use serde_json::Value;

use super::super::model::{Exchange, Request, Response};
use super::super::{parse_line, write_line};
use super::pseudonym::{LENGTH, MARK};
use super::*;

const KEY: [u8; 32] = [7; 32];

fn redactor() -> Redactor {
    Redactor::new(&KEY, &RedactOptions::default()).unwrap()
}

fn with(add: &[&str], add_json: &[&str], keep: &[&str]) -> Redactor {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let options = RedactOptions {
        add: owned(add),
        add_json: owned(add_json),
        keep: owned(keep),
        ..RedactOptions::default()
    };
    Redactor::new(&KEY, &options).unwrap()
}

/// Replaces each pseudonym with `#`, after checking its form.
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
    // The HMAC-SHA256 value was computed by another program.
    assert_eq!(one, "hmt~6Pmsx2SYwCimYWLtyeZZeg");
}

#[test]
fn headers() {
    let redactor = redactor();
    let bearer = "Bearer abcdefghij0123456789";
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
        ("ocp-apim-subscription-key", "k", "#"),
        ("x-functions-key", "k", "#"),
        ("dpop", "k", "#"),
        ("x-session-id", "1", "#"),
        ("cookie", "a=1; b=\"2\";c=;d", "a=#; b=\"#\";c=;d"),
        ("set-cookie", "sid=abc; Path=/; HttpOnly; Secure", "sid=#; Path=/; HttpOnly; Secure"),
        ("set-cookie", "sid=abc", "sid=#"),
        (
            "location",
            "https://u:p@h/cb?code=1&access_token=x%20y#id_token=z&state=1",
            "https://u:#@h/cb?code=1&access_token=##id_token=#&state=1",
        ),
        ("location", "https://h/cb?code=12345678&state=xy", "https://h/cb?code=#&state=#"),
        ("location", "/next?token=1", "/next?token=#"),
        ("location", "https://h/#/cb?token=1&x=2", "https://h/#/cb?token=#&x=2"),
        ("location", "https://h/a@b?x=@", "https://h/a@b?x=@"),
        ("referer", "//user@h/?api_key=1", "//user@h/?api_key=#"),
        (
            "link",
            "<https://h/a?page=2&token=s>; rel=\"next\"",
            "<https://h/a?page=2&token=#>; rel=\"next\"",
        ),
        ("refresh", "5; url=https://h/a?sig=s", "5; url=https://h/a?sig=#"),
        ("x-original-url", "https://h/a?b=1&key=s", "https://h/a?b=1&key=#"),
        ("x-forwarded-auth", bearer, "Bearer #"),
        ("sec-websocket-protocol", "v1, eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_9", "v1, #"),
        ("x-data", "{\"a\":{\"password\":\"p\"}}", "{\"a\":{\"password\":\"#\"}}"),
        ("x-dsn", "postgres://u:p@ss@h/x", "postgres://u:#@h/x"),
        // Values that are not secrets.
        ("access-control-allow-credentials", "true", "true"),
        ("access-control-allow-headers", "authorization, x-api-key", "authorization, x-api-key"),
        (
            "www-authenticate",
            "Bearer realm=\"https://h.test/auth\"",
            "Bearer realm=\"https://h.test/auth\"",
        ),
        ("x-ratelimit-remaining-tokens", "149984", "149984"),
        ("x-ratelimit-reset-tokens", "6m0s", "6m0s"),
        ("accept", "Bearer x", "Bearer x"),
        ("location", "/cb?code=200&state=done", "/cb?code=200&state=done"),
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
    // The query is in `path` and in `query`.
    assert_eq!(line.matches(&pseudonym).count(), 7, "{line}");
    assert!(!line.contains("cret\""), "{line}");
    assert_eq!(
        exchange.meta.redacted,
        [
            "request.body#/password",
            "request.header.authorization",
            "request.header.cookie",
            "request.header.referer",
            "request.query.token",
            "response.body#/access_token",
        ]
    );
    assert_eq!(
        redactor.replaced().to_string(),
        "request.body password 1, request.header authorization 1, request.header cookie 1, \
         request.header token 1, request.query token 1, response.body access_token 1"
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
        // Types stay.
        (r#"{"token":12,"t":12}"#, r#"{"token":12,"t":12}"#),
        (r#"{"password":-1.5e3}"#, r#"{"password":-1.5e3}"#),
        (
            r#"{"token":null,"secret":true,"password":""}"#,
            r#"{"token":null,"secret":true,"password":""}"#,
        ),
        // Objects are searched, but never replaced as a whole.
        (
            r#"{"session":{"id":"1","pwd":"p"},"secrets":["a",2,null,["b"],{"c":"d"}]}"#,
            r##"{"session":{"id":"1","pwd":"#"},"secrets":["#",2,null,["b"],{"c":"d"}]}"##,
        ),
        (
            r#"[{"secret":[]},{"secret":{}},"token","x"]"#,
            r#"[{"secret":[]},{"secret":{}},"token","x"]"#,
        ),
        (r#"{"token":"Bearer x"}"#, r##"{"token":"Bearer #"}"##),
        (r#"{"a":"token\":\"x"}"#, r##"{"a":"token\":\"#"}"##),
        (r#""token""#, r#""token""#),
        ("{\"token\":\"x\"}\n", "{\"token\":\"#\"}\n"),
        // Pairs of name and value, in either order.
        (
            r#"[{"name":"Authorization","value":"Bearer T"},{"value":"v","key":"api_key"},{"name":"x","value":"v"}]"#,
            r##"[{"name":"Authorization","value":"Bearer #"},{"value":"#","key":"api_key"},{"name":"x","value":"v"}]"##,
        ),
        (
            r#"{"cookies":[{"name":"a","value":"b","path":"/"}],"headers":{"Cookie":"a=b"}}"#,
            r##"{"cookies":[{"name":"a","value":"#","path":"/"}],"headers":{"Cookie":"a=#"}}"##,
        ),
        (r#"{"cookies":{"a":"b"}}"#, r##"{"cookies":{"a":"#"}}"##),
        // Texts within texts.
        (r#"{"d":"{\"otp\":\"1\",\"n\":2}"}"#, r##"{"d":"{\"otp\":\"#\",\"n\":2}"}"##),
        (
            r#"{"d":"{\"e\":\"{\\\"pwd\\\":\\\"x\\\"}\"}"}"#,
            r##"{"d":"{\"e\":\"{\\\"pwd\\\":\\\"#\\\"}\"}"}"##,
        ),
        (
            r#"{"u":"https://h/a?b=1&sig=x","v":"jo:p@h"}"#,
            r##"{"u":"https://h/a?b=1&sig=#","v":"jo:p@h"}"##,
        ),
        (r#"{"dsn":"postgres://u:p@h/db"}"#, r##"{"dsn":"postgres://u:#@h/db"}"##),
        (r#"{"f":"user=a&password=b"}"#, r##"{"f":"user=a&password=#"}"##),
        (
            r#"{"query":"mutation { login(user: \"a\", password: \"p\") { token } }"}"#,
            r##"{"query":"mutation { login(user: \"a\", password: \"#\") { token } }"}"##,
        ),
        (r#"{"x":"<a><password>p</password></a>"}"#, r##"{"x":"<a><password>#</password></a>"}"##),
        (
            r#"{"error":"Invalid token: expected a number","hint":"password: is required"}"#,
            r#"{"error":"Invalid token: expected a number","hint":"password: is required"}"#,
        ),
        // Cut short.
        (r#"{"a":1,"token":"ab"#, r##"{"a":1,"token":"#"##),
        (r#"{"a":1,"token":"ab\"#, r##"{"a":1,"token":"#"##),
        (r#"{"a":1,"tok"#, r#"{"a":1,"tok"#),
        (r#"{"a":1,"tokens":["y"#, r##"{"a":1,"tokens":["#"##),
        (r#"[{"value":"v","name":"pwd"#, r##"[{"value":"#","name":"pwd"##),
    ] {
        assert_eq!(body_of(&redactor, "application/json", json), expected, "{json}");
    }
}

#[test]
fn integers_stay_integers_of_as_many_digits() {
    let redactor = redactor();
    let body =
        body_of(&redactor, "application/json", r#"{"otp":123456,"pin":0,"a":{"cvv":-12},"max":7}"#);
    let value: Value = serde_json::from_str(&body).unwrap();
    let otp = value["otp"].as_u64().unwrap();
    assert!((100_000..=999_999).contains(&otp) && otp != 123_456, "{body}");
    assert!(value["pin"].as_u64().is_some_and(|pin| (1..=9).contains(&pin)), "{body}");
    assert!(value["a"]["cvv"].as_i64().is_some_and(|cvv| (-99..=-10).contains(&cvv)), "{body}");
    assert_eq!(value["max"], 7);
    // As text it becomes a pseudonym.
    assert_eq!(body_of(&redactor, "application/json", r#"{"otp":"123456"}"#), r##"{"otp":"#"}"##);
    // A record that lists it as replaced is not changed again.
    let line = format!(
        r#"{{"meta":{{"hmt":{{"redacted":["response.body#/otp"]}}}},"request":{{"method":"get","path":"/"}},"response":{{"statusCode":200,"body":"{{\"otp\":{otp}}}"}}}}"#
    );
    let mut exchange = parse_line(line.as_bytes()).unwrap();
    let before = exchange.clone();
    redactor.apply(&mut exchange);
    assert_eq!(exchange, before);
    let long = "9".repeat(100);
    let made = redactor.integer(&long).unwrap();
    assert!(made.len() == 100 && made != long);
    assert_eq!(redactor.integer("1.5"), None);
}

#[test]
fn what_is_no_secret_stays() {
    let redactor = redactor();
    for json in [
        r#"{"total_tokens":12,"max_tokens":5,"token_type":"Bearer","session_count":2}"#,
        r#"{"sessions":[{"id":1,"title":"a"}],"nextPageToken":"abc","has_password":true}"#,
        r#"{"password_changed_at":"2024-01-01","secretary":"Ann","obsession":"x","tokenizer":"bpe"}"#,
        r#"{"completion_tokens":"12","is_token":"yes","expires_in":3600,"cursor_token":"c"}"#,
        r#"{"syncToken":"s","continuation_token":"c","tokens_used":"9","pins":["a"],"keys":["k"]}"#,
        r#"{"code":"abcdefghijk","state":"open","key":"value","author":"x","design":"y"}"#,
        r#"{"email":"jo@example.com","url":"https://h.test/a?page=2&next=3","text":"Bearer of news"}"#,
        r#"{"tags":[{"name":"color","value":"red"}],"note":"see key: value"}"#,
    ] {
        assert_eq!(body_of(&redactor, "application/json", json), json);
    }
}

#[test]
fn text_of_other_kinds() {
    let redactor = redactor();
    for (media_type, text, expected) in [
        ("application/json", r#"{"token":"x",}{"token":"y"}"#, r##"{"token":"#",}{"token":"#"}"##),
        (
            "application/x-ndjson",
            "{\"token\":\"x\"}\n{\"a\":1,\"token\" : 5}\n",
            "{\"token\":\"#\"}\n{\"a\":1,\"token\" : 5}\n",
        ),
        (
            "text/event-stream",
            "data: {\"secrets\":[\"b\"]}\n\ndata: \"token\"\n",
            "data: {\"secrets\":[\"#\"]}\n\ndata: \"token\"\n",
        ),
        (
            "text/html",
            "<p title='5\" wide'><script>x={\"api_key\":\"k\"}; csrfToken = 'c'</script>",
            "<p title='5\" wide'><script>x={\"api_key\":\"#\"}; csrfToken = '#'</script>",
        ),
        (
            "text/html",
            "<form><input type=hidden name=\"csrf_token\" value=\"c\"><input name=user value=u></form><meta name='csrf-token' content='d'>",
            "<form><input type=hidden name=\"csrf_token\" value=\"#\"><input name=user value=u></form><meta name='csrf-token' content='#'>",
        ),
        (
            "text/xml",
            "<s:Envelope><s:Body><Login apiKey='k'><wsse:Password Type=\"t\"> p&amp;q </wsse:Password><User>u</User></Login></s:Body></s:Envelope>",
            "<s:Envelope><s:Body><Login apiKey='#'><wsse:Password Type=\"t\"> # </wsse:Password><User>u</User></Login></s:Body></s:Envelope>",
        ),
        (
            "application/xml",
            "<m><name>password</name><value><string>x</string></value><secret><![CDATA[y]]></secret><add key='ApiKey' value='z'/></m>",
            "<m><name>password</name><value><string>#</string></value><secret><![CDATA[#]]></secret><add key='ApiKey' value='#'/></m>",
        ),
        ("text/plain", "the token is x", "the token is x"),
        (
            "text/plain",
            "user: a\npassword: b\napi_key = c\nAuthorization: Bearer d\n",
            "user: a\npassword: #\napi_key = #\nAuthorization: Bearer #\n",
        ),
        ("text/plain", "Invalid token: expected", "Invalid token: expected"),
        (
            "application/graphql",
            "{ login(n: 1, password: \"p\") { id } }",
            "{ login(n: 1, password: \"#\") { id } }",
        ),
        ("", "user=u&password=p", "user=u&password=#"),
        ("", "{\"password\":\"p\"}", "{\"password\":\"#\"}"),
        (
            "application/x-www-form-urlencoded",
            "{\"username\":\"ann\",\"password\":\"S3cret\"}",
            "{\"username\":\"ann\",\"password\":\"#\"}",
        ),
        (
            "application/x-www-form-urlencoded",
            "data=%7B%22pwd%22%3A%22x%22%7D&n=1",
            "data={%22pwd%22:%22#%22}&n=1",
        ),
        (
            "application/x-www-form-urlencoded",
            "grant_type=authorization_code&code=abc&code_verifier=v&client_id=c",
            "grant_type=authorization_code&code=#&code_verifier=#&client_id=c",
        ),
        ("image/svg+xml", "<a>\"token\":\"x\"</a>", "<a>\"token\":\"#\"</a>"),
        (
            "application/http",
            "GET /a?token=x HTTP/1.1\r\nAuthorization: Bearer y\r\nContent-Type: application/json\r\n\r\n{\"pwd\":\"z\"}",
            "GET /a?token=# HTTP/1.1\r\nAuthorization: Bearer #\r\nContent-Type: application/json\r\n\r\n{\"pwd\":\"#\"}",
        ),
    ] {
        assert_eq!(body_of(&redactor, media_type, text), expected, "{text}");
    }
}

#[test]
fn bodies_in_other_charsets() {
    let redactor = redactor();
    let text = "{\"user\":\"zoë\",\"password\":\"geheim\"}";
    let hidden = format!("{{\"user\":\"zoë\",\"password\":\"{}\"}}", redactor.pseudonym("geheim"));
    let wide = |text: &str| {
        [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
    };
    let narrow =
        |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    for (media_type, bytes, expected) in [
        ("application/json", wide(text), wide(&hidden)),
        ("application/json; charset=iso-8859-1", narrow(text), narrow(&hidden)),
        ("application/json", narrow(text), narrow(&hidden)),
    ] {
        let mut body = Body::from_bytes(bytes);
        let headers = vec![("content-type".into(), media_type.into())];
        redactor.body(&mut body, &headers, &mut Found::default());
        assert_eq!(body.as_bytes(), expected, "{media_type}");
    }
}

#[test]
fn tokens_in_paths() {
    let redactor = redactor();
    let path = |path: &str| shown(&redactor.shown_path(path));
    assert_eq!(path("/verify/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_9/now"), "/verify/#/now");
    assert_eq!(path("/a;jsessionid=12AB;v=1/b"), "/a;jsessionid=#;v=1/b");
    assert_eq!(path("/token/abc/password"), "/token/abc/password");
}

#[test]
fn values_of_the_user() {
    let options = RedactOptions {
        add_value: vec!["EMP-[0-9]+".to_owned(), "card=([0-9]+)".to_owned()],
        ..RedactOptions::default()
    };
    let redactor = Redactor::new(&KEY, &options).unwrap();
    assert_eq!(header_of(&redactor, "x-who", "EMP-77"), "#");
    assert_eq!(
        body_of(&redactor, "application/json", r#"{"a":["EMP-1"],"b":1}"#),
        r##"{"a":["#"],"b":1}"##
    );
    assert_eq!(body_of(&redactor, "text/plain", "card=12 EMP-3"), "card=# #");
    let wrong = RedactOptions { add_value: vec!["(".to_owned()], ..RedactOptions::default() };
    assert!(matches!(Redactor::new(&KEY, &wrong), Err(RedactError::Value(..))));
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
    // Syntax characters within a quoted name, or within the content, are part of the name or
    // content.
    let odd = "--B\r\nContent-Disposition: form-data; name=\"my;password\"; filename=\"a;b\"\r\n\r\nx--B\r\n--By\r\n--B--\r\n";
    assert_eq!(body_of(&redactor, media_type, odd), odd.replace("x--B\r\n--By", "#"));
}

#[test]
fn names_and_pointers_of_the_user() {
    let redactor = with(
        &["x-my-*", "nickname"],
        &["/user/phones/*/number", "/list/1", "/a~1b"],
        &["*-id", "csrf_token", "theme"],
    );
    assert_eq!(header_of(&redactor, "x-my-thing", "v"), "#");
    assert_eq!(header_of(&redactor, "x-session-id", "v"), "v");
    assert_eq!(header_of(&redactor, "cookie", "theme=dark; sid=1"), "theme=dark; sid=#");
    let json = r#"{"nickname":"1","csrf_token":"c","user":{"phones":[{"number":"1","kind":"home"}]},"list":["a","b",{"c":["d"]}],"a/b":"x","number":"kept"}"#;
    let expected = r##"{"nickname":"#","csrf_token":"c","user":{"phones":[{"number":"#","kind":"home"}]},"list":["a","#",{"c":["d"]}],"a/b":"#","number":"kept"}"##;
    assert_eq!(body_of(&redactor, "application/json", json), expected);
    assert_eq!(body_of(&redactor, "text/plain", "nickname: jo"), "nickname: #");
    let whole = with(&[], &[""], &[]);
    assert_eq!(body_of(&whole, "application/json", r#"["a",true]"#), r##"["#",true]"##);
    let options = RedactOptions { add_json: vec!["a/b".to_owned()], ..RedactOptions::default() };
    assert!(Redactor::new(&KEY, &options).is_err());
    let kept = with(&[], &[], &["cookie", "sid"]);
    assert_eq!(header_of(&kept, "cookie", "sid=1; session=2; a=3"), "sid=1; session=2; a=3");
}

#[test]
fn binary_bodies_stay_but_broken_json_does_not_hide_secrets() {
    let redactor = redactor();
    let run = |media_type: &str, bytes: &[u8]| {
        let mut body = Body::from_bytes(bytes.to_vec());
        let headers = vec![("content-type".into(), media_type.to_owned().into())];
        redactor.body(&mut body, &headers, &mut Found::default());
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

#[test]
fn recordings_stay_readable() {
    let line = br#"{"request":{"method":"get","path":"/a?token=x","host":"h","headers":{"Authorization":"Bearer y"}},"response":{"statusCode":200,"body":"{\"secret\":\"z\"}","headers":{"content-type":"application/json"}}}"#;
    let mut exchange = parse_line(line).unwrap();
    redactor().apply(&mut exchange);
    let mut out = Vec::new();
    write_line(&exchange, &mut out);
    assert_eq!(parse_line(&out).unwrap(), exchange);
}
