//! `GET /admin/routes`: the operations of all specs.

use http::StatusCode;
use serde_json::{Map, Value};

use super::super::operation;
use super::endpoint::{AdminCall, Handling, json, ready};

pub(super) fn get<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let catalogue = call.mock.catalogue();
    let all = catalogue
        .specs
        .iter()
        .flat_map(|spec| spec.api.operations.iter().map(|operation| (&spec.api, operation)));
    let all: Vec<Value> = all
        .map(|(api, operation)| {
            let mut members = Map::from_iter([
                ("method".to_owned(), operation::method(operation).into()),
                ("path".to_owned(), operation.template.clone().into()),
            ]);
            if let Some(id) = &operation.operation_id {
                members.insert("operationId".to_owned(), id.clone().into());
            }
            members.insert("spec".to_owned(), api.source.clone().into());
            members.insert("example".to_owned(), operation::example_path(api, operation).into());
            Value::Object(members)
        })
        .collect();
    ready(json(StatusCode::OK, Value::Array(all).to_string()))
}
