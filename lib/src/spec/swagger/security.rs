//! Security schemes of Swagger 2.0.

use serde_json::{Value, json};

use super::objects::{Object, take_over};

pub(super) fn security_scheme(old: Value, warnings: &mut Vec<String>) -> Value {
    let Value::Object(mut scheme) = old else { return old };
    match scheme.get("type").and_then(Value::as_str) {
        Some("basic") => {
            scheme.insert("type".to_owned(), json!("http"));
            scheme.insert("scheme".to_owned(), json!("basic"));
        }
        Some("oauth2") => {
            let flow = match scheme.shift_remove("flow") {
                Some(Value::String(flow)) => flow,
                _ => String::new(),
            };
            let name = match flow.as_str() {
                "application" => "clientCredentials",
                "accessCode" => "authorizationCode",
                "password" => "password",
                "implicit" => "implicit",
                other => {
                    warnings.push(format!("OAuth flow {other:?} is unknown; read as implicit"));
                    "implicit"
                }
            };
            let mut details = Object::new();
            for key in ["authorizationUrl", "tokenUrl", "refreshUrl"] {
                take_over(&mut scheme, &mut details, key);
            }
            let scopes = scheme.shift_remove("scopes").unwrap_or_else(|| json!({}));
            details.insert("scopes".to_owned(), scopes);
            scheme.insert("flows".to_owned(), json!({ name: details }));
        }
        _ => {}
    }
    Value::Object(scheme)
}
