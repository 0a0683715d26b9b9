//! `/admin/faults`: the rules for faults.

use http::StatusCode;
use serde_json::Value;

use super::super::faults::FaultRule;
use super::endpoint::{AdminCall, Handling, invalid, json, ready};

pub(super) fn get<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let rules = call.mock.world().faults().rules();
    let rules: Vec<Value> = rules.iter().map(FaultRule::to_json).collect();
    ready(json(StatusCode::OK, Value::Array(rules).to_string()))
}

/// Replaces all rules.
pub(super) fn put<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let rules = match call.json() {
        Ok(Value::Array(rules)) => rules,
        Ok(_) => return ready(invalid("the body must be an array of rules")),
        Err(refusal) => return ready(*refusal),
    };
    let read = rules
        .iter()
        .enumerate()
        .map(|(index, rule)| FaultRule::from_json(rule).map_err(|why| format!("/{index}: {why}")));
    match read.collect::<Result<Vec<_>, _>>() {
        Ok(rules) => {
            call.mock.world().set_faults(rules);
            get(call)
        }
        Err(why) => ready(invalid(&why)),
    }
}
