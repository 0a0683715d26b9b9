//! `/admin/overrides`: the overrides in force, the newest first.

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::super::answer::Answer;
use super::super::world::Override;
use super::endpoint::{AdminCall, Handling, invalid, json, ready};

pub(super) fn list<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let all = call.mock.world().overrides().list();
    let all: Vec<Value> = all.iter().map(|one| one.to_json()).collect();
    ready(json(StatusCode::OK, Value::Array(all).to_string()))
}

/// Adds an override as the newest.
pub(super) fn add<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let one = match read(call) {
        Ok(one) => one,
        Err(refusal) => return ready(*refusal),
    };
    let (id, shown) = (one.id.clone(), one.to_json().to_string());
    if !call.mock.world().overrides().add(one) {
        let detail = format!("there is an override {id}; PUT /admin/overrides/{id} changes it");
        let title = "the id is taken";
        return ready(Answer::problem(StatusCode::CONFLICT, title, &detail));
    }
    ready(created(&id, shown))
}

fn created(id: &str, shown: String) -> Answer {
    let mut answer = json(StatusCode::CREATED, shown);
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    if let Ok(location) = HeaderValue::from_str(&format!("/admin/overrides/{id}")) {
        answer.headers.insert(LOCATION, location);
    }
    answer
}

/// Replaces all overrides with a list.
pub(super) fn replace<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let read =
        call.json().and_then(|value| Override::list(&value).map_err(|why| Box::new(invalid(&why))));
    match read {
        Ok(all) => {
            call.mock.world().set_overrides(all);
            list(call)
        }
        Err(refusal) => ready(*refusal),
    }
}

pub(super) fn clear<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    call.mock.world().set_overrides(Vec::new());
    ready(Answer::empty(StatusCode::NO_CONTENT))
}

pub(super) fn get<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let id = call.parameter();
    ready(match call.mock.world().overrides().get(&id) {
        Some(one) => json(StatusCode::OK, one.to_json().to_string()),
        None => unknown(&id),
    })
}

/// Changes an override, or adds it as the newest.
pub(super) fn put<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let id = call.parameter();
    let one = match read(call) {
        Ok(one) => one.with_id(&id),
        Err(refusal) => return ready(*refusal),
    };
    let shown = one.to_json().to_string();
    ready(match call.mock.world().overrides().set(one) {
        true => json(StatusCode::OK, shown),
        false => created(&id, shown),
    })
}

pub(super) fn delete<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let id = call.parameter();
    ready(match call.mock.world().overrides().remove(&id) {
        true => Answer::empty(StatusCode::NO_CONTENT),
        false => unknown(&id),
    })
}

fn unknown(id: &str) -> Answer {
    let detail = format!("there is no override {id:?}, or it was used up");
    Answer::problem(StatusCode::NOT_FOUND, "unknown override", &detail)
}

fn read(call: &AdminCall<'_>) -> Result<Override, Box<Answer>> {
    let value = call.json()?;
    Override::from_json(&value).map_err(|why| Box::new(invalid(&why)))
}
