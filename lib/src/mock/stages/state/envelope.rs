//! The members of an envelope, and the headers of a list, that describe its page.

use http::header::LINK;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::schema::{Direction, Types};

use super::super::super::answer::{Answer, AnswerSource};
use super::super::super::catalogue::{FieldRole, ListPlace, PageField, QueryRole, role_of};
use super::super::made;
use super::super::negotiation::Choice;
use super::Asked;
use super::list::{Page, Query};
use super::reply::ensure;

/// A page with its neighbours.
struct Around<'p> {
    page: &'p Page,
    query: &'p Query,
    /// URLs of the other pages.
    next: Option<String>,
    previous: Option<String>,
    first: String,
    last: String,
    this: String,
}

impl Around<'_> {
    fn size(&self) -> usize {
        self.page.size.unwrap_or(self.page.total).max(1)
    }

    fn pages(&self) -> usize {
        self.page.total.div_ceil(self.size())
    }

    /// The number of the page, as clients count.
    fn number(&self) -> usize {
        self.page.start / self.size() + self.query.first_page
    }

    fn has_more(&self) -> bool {
        self.page.start + self.page.entities.len() < self.page.total
    }
}

impl Asked<'_> {
    /// The answer with a page; `None` if no such answer would be valid.
    pub(super) fn reply_list(
        &self,
        choice: &Choice<'_>,
        place: &ListPlace,
        query: &Query,
        page: &Page,
    ) -> Option<Answer> {
        let mut answer = made::head(self.context, self.call, choice);
        answer.source = Some(AnswerSource::State);
        let around = self.around(query, page);
        self.set_headers(choice, &mut answer, &around);
        let json = self.joined(place, &page.entities);
        let mut envelope = Value::Null;
        if !place.path.is_empty() {
            envelope = self.envelope(choice);
            for field in &place.fields {
                self.set_field(&mut envelope, field, &around);
            }
            let schema = choice.media.as_ref()?.plan.schema?;
            if !self.is_valid(&envelope, schema, place, &json) {
                // The minimum that is known.
                envelope = Value::Null;
                if !self.is_valid(&envelope, schema, place, &json) {
                    return None;
                }
            }
        }
        answer.body = self.write(choice, envelope, &place.path, &json);
        Some(answer)
    }

    /// Checks an envelope with its list. The entities of a long list are valid already.
    fn is_valid(
        &self,
        envelope: &Value,
        schema: crate::schema::NodeId,
        place: &ListPlace,
        json: &[u8],
    ) -> bool {
        const LONG: usize = 64 << 10;
        let mut envelope = envelope.clone();
        let list = ensure(&mut envelope, &place.path);
        if json.len() <= LONG {
            *list = serde_json::from_slice(json).unwrap_or_default();
            return self.schemas.accepts(schema, &envelope, Direction::Response);
        }
        true
    }

    fn set_field(&self, envelope: &mut Value, field: &PageField, around: &Around<'_>) {
        let schema = field.schema;
        let fits = |value: &Value| self.schemas.accepts(schema, value, Direction::Response);
        let found = self.candidates(field, around).into_iter().find(fits);
        let value = match found {
            Some(value) => value,
            None if fits(&Value::Null) => Value::Null,
            None if !field.required => {
                let Some((last, parents)) = field.path.split_last() else { return };
                if let Some(members) = ensure(envelope, parents).as_object_mut() {
                    members.shift_remove(last);
                }
                return;
            }
            None if fits(&json!("")) => json!(""),
            // The member keeps its composed value.
            None => return,
        };
        *ensure(envelope, &field.path) = value;
    }

    /// The values that a member can have, the best first; none if the value is unknown.
    fn candidates(&self, field: &PageField, around: &Around<'_>) -> Vec<Value> {
        let (page, size) = (around.page, around.size());
        let types = self.schemas.types(field.schema);
        let link = |url: Option<&String>, number: Option<usize>| -> Vec<Value> {
            let mut values = Vec::new();
            if let Some(number) = number.filter(|_| types.has(Types::INTEGER)) {
                values.push(json!(number));
            }
            if let Some(url) = url {
                let path = url
                    .split_once("://")
                    .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
                values.extend([json!(url), json!(path.unwrap_or(url)), json!({"href": url})]);
            }
            values
        };
        // `next` is the number of a page or of an entity.
        let by_offset =
            field.path.last().is_some_and(|name| name.to_lowercase().contains("offset"));
        let to =
            |start: usize| if by_offset { start } else { start / size + around.query.first_page };
        let next = around.has_more().then(|| to(page.start + size));
        let previous = (page.start > 0).then(|| to(page.start.saturating_sub(size)));
        match field.role {
            FieldRole::Total => vec![json!(page.total)],
            FieldRole::Pages => vec![json!(around.pages()), json!(around.pages().max(1))],
            FieldRole::Page => vec![json!(around.number())],
            FieldRole::Size => vec![json!(page.size.unwrap_or(page.entities.len())), json!(size)],
            FieldRole::Offset => vec![json!(page.start)],
            FieldRole::Returned => vec![json!(page.entities.len())],
            FieldRole::Next => link(around.next.as_ref(), next),
            FieldRole::Previous => link(around.previous.as_ref(), previous),
            FieldRole::First if types.has(Types::BOOLEAN) => vec![json!(page.start == 0)],
            FieldRole::First => link(Some(&around.first), Some(to(0))),
            FieldRole::Last if types.has(Types::BOOLEAN) => vec![json!(!around.has_more())],
            FieldRole::Last => {
                let start = around.pages().saturating_sub(1) * size;
                link(Some(&around.last), Some(to(start)))
            }
            FieldRole::This => link(Some(&around.this), None),
            FieldRole::NextCursor => page.next_cursor.iter().map(|cursor| json!(cursor)).collect(),
            FieldRole::PreviousCursor => Vec::new(),
            FieldRole::HasMore => vec![json!(around.has_more())],
            FieldRole::HasPrevious => vec![json!(page.start > 0)],
            FieldRole::Empty => vec![json!(page.entities.is_empty())],
        }
    }

    /// Sets the declared headers that describe the page.
    fn set_headers(&self, choice: &Choice<'_>, answer: &mut Answer, around: &Around<'_>) {
        let page = around.page;
        if self.declares(choice, &LINK) {
            let links = [
                (around.next.as_ref(), "next"),
                (around.previous.as_ref(), "prev"),
                (Some(&around.first), "first"),
                (Some(&around.last), "last"),
            ];
            let links: Vec<String> = links
                .into_iter()
                .filter_map(|(url, rel)| Some(format!("<{}>; rel=\"{rel}\"", url?)))
                .collect();
            if let Ok(value) = HeaderValue::from_str(&links.join(", ")) {
                answer.headers.insert(LINK, value);
            }
        }
        let names: Vec<HeaderName> = answer.headers.keys().cloned().collect();
        for name in names {
            let key: String = name.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
            let key = key.strip_prefix('x').unwrap_or(&key);
            let key = key.strip_prefix("pagination").unwrap_or(key);
            let next = || around.has_more().then(|| around.number() + 1);
            let previous = || (page.start > 0).then(|| around.number().saturating_sub(1));
            let value = match key {
                "total" | "totalcount" | "totalitems" | "totalresults" | "totalelements"
                | "count" => Some(page.total),
                "totalpages" | "pages" | "pagecount" => Some(around.pages()),
                "page" | "currentpage" => Some(around.number()),
                "perpage" | "pagesize" | "limit" => Some(around.size()),
                "offset" => Some(page.start),
                "nextpage" => next(),
                "prevpage" | "previouspage" => previous(),
                _ => continue,
            };
            match value {
                Some(value) => drop(answer.headers.insert(name, value.into())),
                None => drop(answer.headers.remove(name)),
            }
        }
    }

    fn around<'p>(&self, query: &'p Query, page: &'p Page) -> Around<'p> {
        let size = page.size.unwrap_or(page.total).max(1);
        let has_more = page.start + page.entities.len() < page.total;
        let at = |start: usize| self.url_of(query, start, size, None);
        let next = has_more
            .then(|| self.url_of(query, page.start + size, size, page.next_cursor.as_deref()));
        let previous = (page.start > 0).then(|| at(page.start.saturating_sub(size)));
        let last = page.total.div_ceil(size).saturating_sub(1) * size;
        let (first, last) = (at(0), at(last));
        let this = format!(
            "{}{}",
            self.origin(),
            self.call.parts.uri.path_and_query().map_or("", |own| own.as_str())
        );
        Around { page, query, next, previous, first, last, this }
    }

    /// `http://host:port` as the client reached the mock; empty if it is not known.
    fn origin(&self) -> String {
        let parts = &self.call.parts;
        let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(|own| own.as_str()));
        // HTTP/1.1 requests do not contain the scheme.
        let used = if self.context.tls { "https" } else { "http" };
        let scheme = parts.uri.scheme_str().unwrap_or(used);
        host.map_or_else(String::new, |host| format!("{scheme}://{host}"))
    }

    /// The URL of the same request for the page that begins at a position.
    fn url_of(&self, query: &Query, start: usize, size: usize, cursor: Option<&str>) -> String {
        let plan = &self.own.query;
        let members = &self.kind.members;
        let role = |name: &str, text: &str| {
            let declared = plan.parameters.iter().find(|own| own.name == name);
            let guessed = || role_of(name, members, text.parse::<u64>().is_ok());
            declared.map(|own| own.role.clone()).or_else(guessed)
        };
        let name_of = |wanted: &QueryRole| {
            let sent = self.call.request.query.iter();
            let sent =
                sent.into_iter().find(|(name, text)| role(name, text).as_ref() == Some(wanted));
            let declared = plan.of_role(wanted).map(|own| own.name.clone());
            sent.map(|(name, _)| name.to_string()).or(declared)
        };
        let by = |wanted: QueryRole| name_of(&wanted).map(|name| (wanted, name));
        let cursor =
            cursor.and_then(|cursor| Some((name_of(&QueryRole::Cursor)?, cursor.to_owned())));
        let (name, value) = match (cursor, by(QueryRole::Page), by(QueryRole::Offset)) {
            (Some((name, cursor)), None, None) => (name, cursor),
            (_, Some((_, name)), None) => (name, (start / size + query.first_page).to_string()),
            (_, _, Some((_, name))) => (name, start.to_string()),
            (None, None, None) if name_of(&QueryRole::Cursor).is_some() => {
                // The first page has no cursor.
                (String::new(), String::new())
            }
            (None, None, None) => ("offset".to_owned(), start.to_string()),
        };
        let places = [QueryRole::Page, QueryRole::Offset, QueryRole::Cursor];
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        for (known, text) in &self.call.request.query {
            let is_place = role(known, text).is_some_and(|role| places.contains(&role));
            if !is_place {
                pairs.append_pair(known, text);
            }
        }
        if !name.is_empty() {
            pairs.append_pair(&name, &value);
        }
        let text = pairs.finish();
        let path = self.call.parts.uri.path();
        let mark = if text.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{text}", self.origin())
    }
}
