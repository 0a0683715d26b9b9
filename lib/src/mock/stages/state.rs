//! Operations that keep state: collections, items, and operations with annotations.
//!
//! This file finds the action and the entity of a request. `entity` makes entities, `change` adds,
//! replaces and removes them, `list` selects those of a page, and `reply` and `envelope` write
//! them.

mod change;
mod entity;
mod envelope;
mod list;
mod reply;

use http::StatusCode;
use serde_json::Value;

use crate::schema::SchemaSet;

use super::super::answer::{Answer, AnswerSource};
use super::super::call::{Call, Context};
use super::super::catalogue::{KindPlan, Role, StateOperation, StatePlan};
use super::super::world::{Contents, Item, Kind, Scopes, Storage, StorageError};
use super::fill::fill;
use super::lookup::MatchedOperation;
use super::negotiation;
use super::negotiation::Choice;

/// Separates the ids of several parents.
const PARENTS: &str = "\u{1}";

/// True if the answer may depend on state, so that no recording can be used.
pub(super) fn keeps(call: &Call<'_>, operation: &MatchedOperation<'_>) -> bool {
    let own = operation.spec.state_of(operation.matched.id);
    own.is_some_and(|(_, own)| own.role != Role::Below) && !call.preferences.skips_recordings()
}

/// The answer of an operation that keeps state; `None` for others, and if the client prefers an
/// answer that does not depend on state.
pub(super) fn answer(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
) -> Option<Answer> {
    let (plan, own) = operation.spec.state_of(operation.matched.id)?;
    if call.preferences.skips_recordings() {
        return None;
    }
    let request = Asked {
        context,
        call,
        operation,
        plan,
        own,
        kind: plan.kind(own),
        schemas: &operation.spec.api.schemas,
        storage: context.world.storage(),
    };
    match request.answer() {
        Ok(answer) => answer,
        Err(refusal) => Some(refusal.answer(&request)),
    }
}

/// A request to an operation that keeps state.
struct Asked<'a> {
    context: &'a Context<'a>,
    call: &'a Call<'a>,
    operation: &'a MatchedOperation<'a>,
    plan: &'a StatePlan,
    own: &'a StateOperation,
    kind: &'a KindPlan,
    schemas: &'a SchemaSet,
    storage: &'a Storage,
}

/// Why a request is refused.
#[derive(Debug)]
enum Refusal {
    /// An entity that the path names is missing.
    Missing(String),
    /// The id of a new entity is already in use.
    Taken(String),
    /// A precondition does not hold (RFC 9110, section 13).
    Precondition(&'static str),
    /// The operation requires a precondition (RFC 6585).
    NoPrecondition,
    /// A body that cannot be applied.
    Body(String),
    Storage(StorageError),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Refusal {
        Refusal::Storage(error)
    }
}

impl Refusal {
    /// The response that the operation declares for this refusal, else a generic problem.
    fn answer(&self, asked: &Asked<'_>) -> Answer {
        let (status, title, detail) = match self {
            Refusal::Missing(what) => {
                (StatusCode::NOT_FOUND, "not found", format!("there is no {what}"))
            }
            Refusal::Taken(what) => {
                (StatusCode::CONFLICT, "the id is taken", format!("{what} already exists"))
            }
            Refusal::Precondition(header) => (
                StatusCode::PRECONDITION_FAILED,
                "a precondition does not hold",
                format!("the entity does not match the header {header}"),
            ),
            Refusal::NoPrecondition => (
                StatusCode::PRECONDITION_REQUIRED,
                "a precondition is required",
                "send the header If-Match with the entity tag".to_owned(),
            ),
            Refusal::Body(why) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "the body cannot be applied", why.clone())
            }
            Refusal::Storage(error) => {
                let title = "the state cannot be kept";
                return Answer::problem(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    title,
                    &error.to_string(),
                );
            }
        };
        let codes: &[u16] = match self {
            Refusal::Body(_) => &[422, 400, 409],
            _ => &[status.as_u16()],
        };
        let choice = negotiation::declared_error(asked.call, asked.operation, codes, status);
        let mut answer = match choice {
            Some(choice) => fill(asked.context, asked.call, asked.operation, &choice),
            None => Answer::problem(status, title, &detail),
        };
        answer.source = Some(AnswerSource::State);
        answer.note = Some(detail);
        answer
    }
}

impl<'a> Asked<'a> {
    fn answer(&self) -> Result<Option<Answer>, Refusal> {
        match self.own.role {
            Role::List => self.list(),
            Role::Read => self.read(),
            Role::Create => self.create().map(Some),
            Role::Replace | Role::ReplaceByBody => self.replace().map(Some),
            Role::Update => self.update().map(Some),
            Role::Upsert => self.upsert().map(Some),
            Role::Delete => self.delete().map(Some),
            Role::DeleteAll => self.delete_all().map(Some),
            Role::Action => self.act(),
            Role::Below => {
                self.storage.read(|contents| self.require_parents(contents))?;
                Ok(None)
            }
        }
    }

    fn read(&self) -> Result<Option<Answer>, Refusal> {
        let found = self.storage.read(|contents| {
            self.require_parents(contents)?;
            let key = self.path_key();
            match self.present(contents, &key) {
                Some(item) => Ok(Some(self.entity_for_reply(&key, item))),
                // A singleton exists from the start, until it is removed.
                None if self.is_untouched(contents, &key) => Ok(None),
                None => Err(self.missing()),
            }
        })?;
        let reply = match found {
            Some(reply) => reply,
            None => self.reply_of(&self.path_key(), &self.unmade_singleton()),
        };
        if let Some(answer) = self.not_modified(&reply) {
            return Ok(Some(answer));
        }
        let Some(choice) = self.success(&[200]) else { return Ok(None) };
        Ok(Some(self.reply(&choice, &reply)))
    }

    /// An action on an entity: if the response contains an entity, it is this one.
    fn act(&self) -> Result<Option<Answer>, Refusal> {
        let reply = self.storage.read(|contents| {
            self.require_parents(contents)?;
            let key = self.path_key();
            let item = self.present(contents, &key).ok_or_else(|| self.missing())?;
            Ok::<_, Refusal>(self.entity_for_reply(&key, item))
        })?;
        let choice = self.success(&[200]);
        let choice = choice.filter(|choice| self.place(choice).is_some());
        Ok(choice.map(|choice| self.reply(&choice, &reply)))
    }

    /// The entities of the operation's kind.
    fn entities<'c>(&self, contents: &'c Contents) -> Option<&'c Kind> {
        contents.kind(&self.kind.rule.name)
    }

    /// An entity that was not removed.
    fn present<'c>(&self, contents: &'c Contents, key: &str) -> Option<&'c Item> {
        self.entities(contents)?.get(key).filter(|item| !item.is_removed())
    }

    /// True for a singleton that was not changed yet.
    fn is_untouched(&self, contents: &Contents, key: &str) -> bool {
        let is_there = self.entities(contents).is_some_and(|kind| kind.get(key).is_some());
        self.own.singleton && !is_there
    }

    /// The value of a path parameter.
    fn path_value(&self, number: usize) -> &'a str {
        let values = &self.operation.matched.path_values;
        values.get(number).map_or("", |(_, value)| value)
    }

    /// The ids of the parents that the path names, in one text.
    fn parents(&self, count: usize) -> String {
        let values: Vec<&str> = (0..count).map(|number| self.path_value(number)).collect();
        values.join(PARENTS)
    }

    /// The parents of a new entity.
    fn scopes(&self) -> Option<Scopes> {
        let (number, count) = self.own.path.scope?;
        let mut scopes: Scopes = vec![None; self.kind.rule.scopes.len()];
        *scopes.get_mut(number)? = Some(self.parents(count).into());
        Some(scopes)
    }

    /// The id in the path.
    fn path_id(&self) -> &'a str {
        self.own.path.id.map_or("", |number| self.path_value(number))
    }

    /// The key of the entity that the path names.
    fn path_key(&self) -> String {
        self.key(self.path_id())
    }

    /// The key of the entity with an id, among those that the path may name.
    fn key(&self, id: &str) -> String {
        self.kind.rule.key(id, self.scopes().as_deref().unwrap_or_default())
    }

    fn missing(&self) -> Refusal {
        let name = &self.kind.rule.name;
        Refusal::Missing(match self.path_id() {
            "" => name.to_string(),
            id => format!("{name} {id}"),
        })
    }

    /// Refuses requests below a missing item, and requests for an item that does not belong to the
    /// parents in the path.
    fn require_parents(&self, contents: &Contents) -> Result<(), Refusal> {
        let path = &self.own.path;
        for parent in &path.parents {
            let kind = &self.plan.kinds[parent.kind];
            let scopes = parent.scope.map(|(number, count)| {
                let mut scopes: Scopes = vec![None; kind.rule.scopes.len()];
                if let Some(scope) = scopes.get_mut(number) {
                    *scope = Some(self.parents(count).into());
                }
                scopes
            });
            let id = self.path_value(parent.id);
            let key = kind.rule.key(id, scopes.as_deref().unwrap_or_default());
            let is_there =
                contents.kind(&kind.rule.name).is_some_and(|all| all.get(&key).is_some());
            if !is_there && !self.has_children(contents, parent.id + 1) {
                return Err(Refusal::Missing(format!("{} {id}", kind.rule.name)));
            }
        }
        // An item that also has its own collection is found only below its own parents.
        if let (Some((number, count)), Some(_), false) =
            (path.scope, path.id, self.kind.rule.keyed_by_scope)
            && self.own.role != Role::Below
            && let Some(all) = self.entities(contents)
            && let Some(false) = all.is_in_scope(&self.path_key(), number, &self.parents(count))
        {
            return Err(self.missing());
        }
        Ok(())
    }

    /// True if there are entities of the operation's kind with these parents, because recordings
    /// may lack the parents themselves.
    fn has_children(&self, contents: &Contents, count: usize) -> bool {
        let Some((number, own)) = self.own.path.scope else { return false };
        let test = super::super::world::Test::Scope(number, self.parents(count));
        own == count
            && self.entities(contents).is_some_and(|kind| !kind.matching(&[test]).is_empty())
    }

    /// The response for a success: the first of some statuses that the operation declares, else the
    /// usual one.
    fn success(&self, codes: &[u16]) -> Option<Choice<'a>> {
        negotiation::success(self.call, self.operation, codes)
    }

    /// The body of the request, at the place of the entity.
    fn body(&self) -> Option<Value> {
        let api = &self.operation.spec.api;
        let request = &self.call.request;
        let mut body = match self.call.json_body() {
            Some(value) if !is_form(self.call) => value.clone(),
            _ => api.body_value(&self.operation.matched, request)?,
        };
        for name in &self.own.body {
            let within = body.get_mut(name).map(Value::take);
            // Without validation, a client may send the entity alone.
            let Some(within) = within else { break };
            body = within;
        }
        Some(body)
    }
}

/// Forms and texts may look like JSON.
fn is_form(call: &Call<'_>) -> bool {
    let kind = crate::exchange::header(&call.request.headers, "content-type");
    kind.is_some_and(|kind| kind.contains("form") || kind.contains("xml"))
}
