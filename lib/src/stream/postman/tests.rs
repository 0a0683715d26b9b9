use std::io::Cursor;

use super::*;

fn exchanges(text: &str) -> Vec<Exchange<'static>> {
    let mut postman = Postman::new(Box::new(Cursor::new(text.to_owned())));
    let mut all = Vec::new();
    loop {
        match postman.next().unwrap() {
            CaptureEntry::End => return all,
            CaptureEntry::Exchange(exchange) => all.push(*exchange),
            CaptureEntry::Rejected(error) => panic!("{error}"),
            _ => panic!("something else"),
        }
    }
}

const COLLECTION: &str = r#"{"info":{"name":"Shop","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
"item":[
  {"name":"Items","item":[
    {"name":"get one","request":{"method":"GET","url":"{{baseUrl}}/items/1"},
     "response":[
       {"name":"found","originalRequest":{"method":"GET","header":[{"key":"X-A","value":"{{a}}"},{"key":"Off","value":"1","disabled":true}],
          "url":{"raw":"{{baseUrl}}/items/:id?x=1","host":["{{baseUrl}}"],"path":["items",":id"],"variable":[{"key":"id","value":"7"}]}},
        "status":"OK","code":200,"_postman_previewlanguage":"json","header":[{"key":"Set-Cookie","value":"a=1"},{"key":"Set-Cookie","value":"b=2"}],
        "cookie":[],"responseTime":12,"body":"{\"id\":7}"},
       {"name":"absent","status":"Not Found","code":404,"header":null,"body":null}]},
    {"name":"upload","request":{"method":"POST","url":{"protocol":"https","host":["up","test"],"port":"8443","path":["files"],"query":[{"key":"a","value":"b"}]},
       "body":{"mode":"formdata","formdata":[{"key":"title","value":"T","type":"text"},{"key":"file","type":"file","src":"/tmp/a.pdf"}]}},
     "response":[]}]},
  {"name":"nowhere","request":{"method":"PUT","header":"A: b","body":{"mode":"raw","raw":"{\"n\":1}","options":{"raw":{"language":"json"}}},"url":"{{host}}/x"},
   "response":[{"code":204}]},
  {"name":"plain","request":"api.test/y","response":[{"code":200,"body":""}]}],
"variable":[{"key":"baseUrl","value":"http://{{h}}/v1"},{"key":"h","value":"shop.test"},{"key":"a","value":5}]}"#;

#[test]
fn saved_answers_become_exchanges() {
    let all = exchanges(COLLECTION);
    let told: Vec<String> = all
        .iter()
        .map(|exchange| {
            let request = &exchange.request;
            let status = exchange.response.as_ref().map_or(0, |response| response.status);
            format!(
                "{} {}://{}{} {status}",
                request.method,
                request.protocol.as_str(),
                request.host,
                request.pathname
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "get http://shop.test/v1/items/7 200",
            "get http://shop.test/v1/items/1 404",
            "post https://up.test:8443/files 0",
            "put https:///x 204",
            "get https://api.test/y 200",
        ]
    );
    assert_eq!(all[0].request.headers, [("x-a".into(), "5".into())]);
    assert_eq!(all[0].request.query, [("x".into(), "1".into())]);
    let response = all[0].response.as_ref().unwrap();
    assert_eq!(header(&response.headers, "content-type"), Some("application/json"));
    assert_eq!(response.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 2);
    let upload = &all[2].request;
    assert!(header(&upload.headers, "content-type").unwrap().starts_with("multipart/form-data"));
    let body = upload.body.as_str().unwrap();
    assert!(body.contains("filename=\"a.pdf\"") && body.ends_with("boundary--\r\n"), "{body}");
    assert_eq!(header(&all[3].request.headers, "content-type"), Some("application/json"));
}

#[test]
fn collections_that_are_wrapped_cut_or_odd() {
    assert_eq!(exchanges(&format!("{{\"collection\":{COLLECTION}}}")).len(), 5);
    let step = |text: &str| steps(Box::new(Cursor::new(text.to_owned()))).unwrap().pop_front();
    assert!(matches!(step(&COLLECTION[..COLLECTION.len() / 2]), Some(CaptureEntry::Cut)));
    assert!(matches!(step("{\"item\":[1,]}"), Some(CaptureEntry::Rejected(_))));
    assert!(matches!(step(r#"{"item":[{"request":5}]}"#), Some(CaptureEntry::Rejected(_))));
    assert!(step(r#"{"item":7}"#).is_none());
}
