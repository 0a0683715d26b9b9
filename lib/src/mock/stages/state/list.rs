//! Selects the entities of a page: filters, order, and where the page begins.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::schema::compare_numbers;

use super::super::super::answer::Answer;
use super::super::super::catalogue::{
    EntityPlace, QueryPlan, QueryRole, RangeRule, role_of, same_name,
};
use super::super::super::world::{Kind, Test, id_text};
use super::reply::Entity;
use super::{Asked, Refusal};

/// Size of a page if the client requests a page, and neither the client nor the spec sets the size.
const PAGE: usize = 20;

/// The selection of a request.
#[derive(Debug, Default)]
pub(super) struct Query {
    tests: Vec<Test>,
    ranges: Vec<(String, RangeRule, String)>,
    searches: Vec<String>,
    /// Members to sort by, and whether the order is descending.
    order: Vec<(String, bool)>,
    pub(super) size: Option<usize>,
    pub(super) page: Option<usize>,
    pub(super) first_page: usize,
    pub(super) offset: Option<usize>,
    cursor: Option<String>,
    /// True if the client can page by cursors.
    by_cursor: bool,
}

/// A part of a list.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) entities: Vec<Entity>,
    pub(super) total: usize,
    /// The number of entities before the page.
    pub(super) start: usize,
    pub(super) size: Option<usize>,
    /// The cursor for the next page.
    pub(super) next_cursor: Option<String>,
}

impl std::fmt::Debug for Entity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.json))
    }
}

impl Asked<'_> {
    pub(super) fn list(&self) -> Result<Option<Answer>, Refusal> {
        let Some(choice) = self.success(&[200]) else { return Ok(None) };
        let Some(EntityPlace::List(place)) = self.place(&choice) else { return Ok(None) };
        let mut query = self.query();
        let node =
            self.schemas.node(super::super::super::catalogue::target(self.schemas, place.list));
        let most = node.max_items.and_then(|most| usize::try_from(most).ok());
        query.size = match (query.size, most) {
            (Some(size), Some(most)) => Some(size.min(most)),
            (size, most) => size.or(most),
        };
        let page = self.storage.read(|contents| {
            self.require_parents(contents)?;
            Ok::<_, Refusal>(match self.entities(contents) {
                Some(kind) => self.page(kind, &query),
                None => Page { size: query.size, ..Page::default() },
            })
        })?;
        let least = node.min_items.unwrap_or(0);
        if (page.entities.len() as u64) < least {
            // The schema requires a longer list.
            return Ok(None);
        }
        Ok(self.reply_list(&choice, place, &query, &page))
    }

    fn page(&self, kind: &Kind, query: &Query) -> Page {
        let mut slots = query.select(kind);
        query.sort(kind, &mut slots);
        let total = slots.len();
        let start = query.start(kind, &slots).min(total);
        let end = query.size.map_or(total, |size| start.saturating_add(size)).min(total);
        let shown = &slots[start..end];
        let more = end < total;
        let next_cursor = shown.last().filter(|_| more).and_then(|slot| {
            let text = match query.order.is_empty() {
                true => format!("n{}", kind.at(*slot)?.number()),
                false => format!("o{end}"),
            };
            Some(URL_SAFE_NO_PAD.encode(text))
        });
        let entities = shown.iter().filter_map(|slot| {
            let item = kind.at(*slot)?;
            Some(self.entity_for_reply(&format!("{}", item.number()), item))
        });
        Page { entities: entities.collect(), total, start, size: query.size, next_cursor }
    }

    /// The selection of the query.
    pub(super) fn query(&self) -> Query {
        let plan = &self.own.query;
        let mut query = Query::defaults(plan);
        if let Some((number, count)) = self.own.path.scope {
            query.tests.push(Test::Scope(number, self.parents(count)));
        }
        let mut descending = None;
        for (name, text) in &self.call.request.query {
            let declared = plan.parameters.iter().find(|own| {
                own.name == *name || own.name.trim_end_matches("[]") == name.trim_end_matches("[]")
            });
            let role = match declared {
                Some(own) => Some(own.role.clone()),
                None => role_of(name, &self.kind.members, text.parse::<u64>().is_ok()),
            };
            let number = || text.parse::<usize>().ok();
            match role {
                Some(QueryRole::Filter(member)) => {
                    let separator = declared.and_then(|own| own.separator);
                    let texts: Vec<String> = match separator {
                        Some(separator) => text.split(separator).map(str::to_owned).collect(),
                        None => vec![text.to_string()],
                    };
                    query.filter(member, texts);
                }
                Some(QueryRole::Range(member, rule)) => {
                    query.ranges.push((member, rule, text.to_string()));
                }
                Some(QueryRole::Size) => {
                    let most = declared.and_then(|own| own.maximum).map_or(usize::MAX, to_size);
                    query.size = number().map(|size| size.min(most)).or(query.size);
                }
                Some(QueryRole::Page) => query.page = number().or(query.page),
                Some(QueryRole::Offset) => query.offset = number(),
                Some(QueryRole::Cursor) if !text.is_empty() => {
                    query.cursor = Some(text.to_string());
                    query.by_cursor = true;
                }
                Some(QueryRole::Sort) => query.set_order(text, &self.kind.members, &mut descending),
                Some(QueryRole::Direction) => descending = direction(text).or(descending),
                Some(QueryRole::Search) if !text.is_empty() => {
                    query.searches.push(text.to_lowercase());
                }
                _ => {}
            }
        }
        for own in &plan.parameters {
            if let (QueryRole::Filter(member), Some(default)) = (&own.role, &own.default)
                && !query
                    .tests
                    .iter()
                    .any(|test| matches!(test, Test::Member(name, _) if name == member))
            {
                let values =
                    default.as_array().map_or(std::slice::from_ref(default), Vec::as_slice);
                query.filter(member.clone(), values.iter().filter_map(id_text).collect());
            }
        }
        if query.order.is_empty()
            && let Some(Value::String(text)) =
                plan.of_role(&QueryRole::Sort).and_then(|own| own.default.as_ref())
        {
            query.set_order(text, &self.kind.members, &mut descending);
        }
        if descending == Some(true) {
            query.order.iter_mut().for_each(|(_, descending)| *descending = true);
        }
        if query.page.is_some() && query.size.is_none() {
            query.size = Some(PAGE);
        }
        query
    }
}

fn to_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn direction(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "desc" | "descending" | "-1" | "false" => Some(true),
        "asc" | "ascending" | "1" | "true" => Some(false),
        _ => None,
    }
}

impl Query {
    /// The values of parameters that the client omits.
    fn defaults(plan: &QueryPlan) -> Query {
        let size = plan.of_role(&QueryRole::Size);
        let page = plan.of_role(&QueryRole::Page);
        let number = |value: Option<&Value>| value.and_then(Value::as_u64).map(to_size);
        let default = number(size.and_then(|own| own.default.as_ref()));
        let paged = page.is_some().then_some(PAGE);
        let size = default.or(paged.map(|paged| {
            let most = size.and_then(|own| own.maximum).map_or(usize::MAX, to_size);
            paged.min(most)
        }));
        let maximum = plan.of_role(&QueryRole::Size).and_then(|own| own.maximum).map(to_size);
        let first_page = page
            .is_some_and(|own| own.minimum == Some(0) || number(own.default.as_ref()) == Some(0));
        let first_page = usize::from(!first_page);
        let by_cursor = plan.of_role(&QueryRole::Cursor).is_some();
        Query { size: size.or(maximum), first_page, by_cursor, ..Query::default() }
    }

    /// Adds a filter. If it is repeated, any of its values is enough.
    fn filter(&mut self, member: String, mut texts: Vec<String>) {
        let known = self.tests.iter_mut().find_map(|test| match test {
            Test::Member(own, texts) if *own == member => Some(texts),
            _ => None,
        });
        match known {
            Some(known) => known.append(&mut texts),
            None => self.tests.push(Test::Member(member, texts)),
        }
    }

    /// Reads `name`, `-name`, `name:desc`, `name desc`, `name,desc`, `name_desc` and lists of them.
    fn set_order(&mut self, text: &str, members: &[String], descending: &mut Option<bool>) {
        if self.order.is_empty() && direction(text).is_some() && text.parse::<i64>().is_err() {
            *descending = direction(text);
            return;
        }
        for part in text.split([',', ';']) {
            let part = part.trim();
            let (part, mut is_descending) = match part.strip_prefix('-') {
                Some(rest) => (rest, true),
                None => (part.trim_start_matches('+'), false),
            };
            if let (Some(value), Some(last)) = (direction(part), self.order.last_mut()) {
                last.1 = value;
                continue;
            }
            let member = |name: &str| members.iter().find(|own| same_name(own, name)).cloned();
            let found = member(part).or_else(|| {
                let (name, word) = part.rsplit_once([':', ' ', '_', '.'])?;
                is_descending = direction(word)?;
                member(name)
            });
            self.order.extend(found.map(|member| (member, is_descending)));
        }
    }

    /// The slots of the selected entities, in order.
    pub(super) fn select(&self, kind: &Kind) -> Vec<u32> {
        let mut slots = kind.matching(&self.tests);
        if !self.ranges.is_empty() || !self.searches.is_empty() {
            slots.retain(|slot| kind.at(*slot).is_some_and(|item| self.holds(&item.value())));
        }
        slots
    }

    fn holds(&self, entity: &Value) -> bool {
        let in_range = |(member, rule, text): &(String, RangeRule, String)| {
            let Some(value) = entity.get(member) else { return false };
            let order = match (value, serde_json::from_str::<serde_json::Number>(text)) {
                (Value::Number(own), Ok(other)) => compare_numbers(own, &other),
                (Value::String(own), _) => own.as_str().cmp(text),
                _ => return false,
            };
            match rule {
                RangeRule::AtLeast => order != Ordering::Less,
                RangeRule::AtMost => order != Ordering::Greater,
                RangeRule::More => order == Ordering::Greater,
                RangeRule::Less => order == Ordering::Less,
            }
        };
        self.ranges.iter().all(in_range)
            && self.searches.iter().all(|text| contains(entity, text, 0))
    }

    fn sort(&self, kind: &Kind, slots: &mut Vec<u32>) {
        if self.order.is_empty() {
            return;
        }
        let names: Vec<&str> = self.order.iter().map(|(name, _)| name.as_str()).collect();
        let key = |slot: &u32| kind.at(*slot).map(|item| item.members(&names)).unwrap_or_default();
        let mut keyed: Vec<(Vec<Value>, u32)> =
            slots.iter().map(|slot| (key(slot), *slot)).collect();
        keyed.sort_by(|(one, _), (other, _)| {
            let pairs = one.iter().zip(other).zip(&self.order);
            let orders = pairs.map(|((one, other), (_, descending))| {
                let order = compare(one, other);
                if *descending { order.reverse() } else { order }
            });
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        *slots = keyed.into_iter().map(|(_, slot)| slot).collect();
    }

    /// The number of selected entities before the page.
    fn start(&self, kind: &Kind, slots: &[u32]) -> usize {
        if let Some(cursor) = &self.cursor {
            return self.after(cursor, kind, slots).unwrap_or(0);
        }
        if let Some(offset) = self.offset {
            // In some APIs `startIndex` begins at 1, but a spec does not say so.
            return offset;
        }
        let page = self.page.unwrap_or(self.first_page);
        let before = page.saturating_sub(self.first_page);
        before.saturating_mul(self.size.unwrap_or(0))
    }

    /// The number of entities up to a cursor, which is a cursor of the mock or the id of an entity.
    fn after(&self, cursor: &str, kind: &Kind, slots: &[u32]) -> Option<usize> {
        let place_of = |number: u64| {
            slots.partition_point(|slot| kind.at(*slot).is_some_and(|item| item.number() <= number))
        };
        let decoded = URL_SAFE_NO_PAD.decode(cursor).ok();
        let own = decoded.and_then(|bytes| {
            let text = String::from_utf8(bytes).ok()?;
            let offset = || text.strip_prefix('o')?.parse::<usize>().ok();
            let number = || text.strip_prefix('n')?.parse::<u64>().ok();
            number().filter(|_| self.order.is_empty()).map(place_of).or_else(offset)
        });
        own.or_else(|| {
            let number = kind.get(cursor)?.number();
            slots
                .iter()
                .position(|slot| kind.at(*slot).is_some_and(|i| i.number() == number))
                .map(|place| place + 1)
        })
    }
}

/// True if a text is part of a text of the entity.
fn contains(value: &Value, text: &str, depth: u32) -> bool {
    match value {
        Value::String(own) => own.to_lowercase().contains(text),
        Value::Array(items) if depth < 8 => {
            items.iter().any(|item| contains(item, text, depth + 1))
        }
        Value::Object(members) if depth < 8 => {
            members.values().any(|value| contains(value, text, depth + 1))
        }
        _ => false,
    }
}

/// The order of two members: numbers, then texts, then others; missing members come last.
fn compare(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Bool(false) => 0,
        Value::Bool(true) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => compare_numbers(one, other),
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read() {
        let members = ["name".to_owned(), "created_at".to_owned()];
        for (text, expected) in [
            ("name", vec![("name", false)]),
            ("-name", vec![("name", true)]),
            ("+createdAt,-name", vec![("created_at", false), ("name", true)]),
            ("name:desc", vec![("name", true)]),
            ("name,desc", vec![("name", true)]),
            ("name_desc", vec![("name", true)]),
            ("created_at asc", vec![("created_at", false)]),
            ("nothing", vec![]),
        ] {
            let mut query = Query::default();
            query.set_order(text, &members, &mut None);
            let found: Vec<(&str, bool)> =
                query.order.iter().map(|(name, down)| (name.as_str(), *down)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
