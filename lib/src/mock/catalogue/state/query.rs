//! The meaning of query parameters for a list.

use serde_json::Value;

use crate::conform::{Api, Location, Operation, Parameter};
use crate::schema::Types;

use super::names::{plain, same_name};
use super::target::target;

/// Names of query parameters with the size of a page, in the form of [`plain`].
pub(in crate::mock) const PAGE_SIZES: [&str; 16] = [
    "limit",
    "perpage",
    "pagesize",
    "size",
    "count",
    "first",
    "top",
    "maxresults",
    "max",
    "take",
    "pagelimit",
    "maxitems",
    "itemsperpage",
    "rows",
    "num",
    "maxpagesize",
];
const PAGES: [&str; 6] = ["page", "pagenumber", "pageno", "p", "pagenum", "pageindex"];
const OFFSETS: [&str; 7] = ["offset", "skip", "start", "startindex", "from", "pageoffset", "begin"];
const CURSORS: [&str; 14] = [
    "cursor",
    "pagecursor",
    "after",
    "pageafter",
    "startingafter",
    "pagetoken",
    "nexttoken",
    "nextpagetoken",
    "nextcursor",
    "continuationtoken",
    "marker",
    "continuation",
    "startkey",
    "aftercursor",
];
const SORTS: [&str; 7] = ["sort", "sortby", "orderby", "order", "ordering", "sortfield", "sortkey"];
const DIRECTIONS: [&str; 9] = [
    "direction",
    "dir",
    "sortorder",
    "sortdir",
    "sortdirection",
    "orderdir",
    "orderdirection",
    "ordertype",
    "asc",
];
const SEARCHES: [&str; 6] = ["q", "query", "search", "searchterm", "keyword", "term"];

/// The meaning of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) enum QueryRole {
    /// A member has one of the values.
    Filter(String),
    /// A member is in a range.
    Range(String, RangeRule),
    Size,
    Page,
    Offset,
    Cursor,
    Sort,
    Direction,
    /// A text is somewhere in the entity.
    Search,
}

/// How a member is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum RangeRule {
    AtLeast,
    AtMost,
    More,
    Less,
}

/// A parameter with its meaning.
#[derive(Clone, Debug)]
pub(in crate::mock) struct QueryParameter {
    pub(in crate::mock) name: String,
    pub(in crate::mock) role: QueryRole,
    pub(in crate::mock) default: Option<Value>,
    pub(in crate::mock) minimum: Option<u64>,
    pub(in crate::mock) maximum: Option<u64>,
    /// The separator between several values in one text.
    pub(in crate::mock) separator: Option<char>,
}

/// The parameters of a list.
#[derive(Clone, Debug, Default)]
pub(in crate::mock) struct QueryPlan {
    pub(in crate::mock) parameters: Vec<QueryParameter>,
}

impl QueryPlan {
    pub(super) fn compile(api: &Api, operation: &Operation, members: &[String]) -> QueryPlan {
        let query = operation.parameters.iter().filter(|own| own.location == Location::Query);
        QueryPlan {
            parameters: query
                .filter_map(|own| QueryParameter::compile(api, own, members))
                .collect(),
        }
    }

    /// The declared parameter with a role.
    pub(in crate::mock) fn of_role(&self, role: &QueryRole) -> Option<&QueryParameter> {
        self.parameters.iter().find(|parameter| parameter.role == *role)
    }

    /// The members that lists are filtered by.
    pub(super) fn filters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter_map(|parameter| match &parameter.role {
            QueryRole::Filter(member) => Some(member.as_str()),
            _ => None,
        })
    }
}

impl QueryParameter {
    fn compile(api: &Api, own: &Parameter, members: &[String]) -> Option<QueryParameter> {
        let schemas = &api.schemas;
        let types = own.schema.map_or(Types(0x7f), |schema| schemas.types(schema));
        let is_number = types.has(Types::INTEGER) && !types.has(Types::OBJECT.with(Types::ARRAY));
        let role = role_of(&own.name, members, is_number)?;
        let node = own.schema.map(|schema| schemas.node(target(schemas, schema)));
        let limit =
            |bound: Option<&crate::schema::Bound>| bound.and_then(|bound| bound.value.as_u64());
        let separator = match own.style.as_str() {
            _ if own.delimiter.is_some() => own.delimiter,
            "spaceDelimited" => Some(' '),
            "pipeDelimited" => Some('|'),
            _ if !own.explode && types.has(Types::ARRAY) => Some(','),
            _ => None,
        };
        Some(QueryParameter {
            name: own.name.clone(),
            role,
            default: node.and_then(|node| node.default.clone()),
            minimum: limit(node.and_then(|node| node.minimum.as_ref())),
            maximum: limit(node.and_then(|node| node.maximum.as_ref())),
            separator,
        })
    }
}

/// The meaning of a parameter by its name. `is_number` is true if the values are known to be
/// numbers.
pub(in crate::mock) fn role_of(
    name: &str,
    members: &[String],
    is_number: bool,
) -> Option<QueryRole> {
    let bare = name.strip_suffix("[]").unwrap_or(name);
    let bare = match bare.split_once('[') {
        Some((outer, inner)) if matches!(plain(outer).as_str(), "filter" | "filters" | "where") => {
            inner.trim_end_matches(']')
        }
        _ => bare,
    };
    let key = plain(bare);
    let member = |name: &str| members.iter().find(|member| same_name(member, name)).cloned();
    let is = |known: &[&str]| known.contains(&key.as_str());
    let own = member(bare);
    let paging = || {
        let role = [
            (&PAGE_SIZES[..], QueryRole::Size),
            (&PAGES, QueryRole::Page),
            (&OFFSETS, QueryRole::Offset),
        ];
        role.into_iter().find(|(names, _)| is(names)).map(|(_, role)| role)
    };
    if is_number && let Some(role) = paging() {
        return Some(role);
    }
    if let Some(member) = own {
        return Some(QueryRole::Filter(member));
    }
    if let Some(role) = paging() {
        return Some(role);
    }
    let role = [
        (&CURSORS[..], QueryRole::Cursor),
        (&SORTS, QueryRole::Sort),
        (&DIRECTIONS, QueryRole::Direction),
        (&SEARCHES, QueryRole::Search),
    ];
    if let Some((_, role)) = role.into_iter().find(|(names, _)| is(names)) {
        return Some(role);
    }
    if let Some(many) = bare.strip_suffix('s').and_then(member) {
        return Some(QueryRole::Filter(many));
    }
    range_of(bare, &member)
}

/// `min_price`, `price_gte`, `price[gte]`, `created_after`.
fn range_of(name: &str, member: &dyn Fn(&str) -> Option<String>) -> Option<QueryRole> {
    const WORDS: [(&str, RangeRule); 14] = [
        ("min", RangeRule::AtLeast),
        ("max", RangeRule::AtMost),
        ("gte", RangeRule::AtLeast),
        ("lte", RangeRule::AtMost),
        ("gt", RangeRule::More),
        ("lt", RangeRule::Less),
        ("from", RangeRule::AtLeast),
        ("to", RangeRule::AtMost),
        ("since", RangeRule::AtLeast),
        ("until", RangeRule::AtMost),
        ("after", RangeRule::More),
        ("before", RangeRule::Less),
        ("start", RangeRule::AtLeast),
        ("end", RangeRule::AtMost),
    ];
    let key = plain(name);
    WORDS.into_iter().find_map(|(word, rule)| {
        let rest = key.strip_prefix(word).or_else(|| key.strip_suffix(word))?;
        if rest.is_empty() {
            return None;
        }
        // `created_after` is about `created_at`.
        let found = member(rest).or_else(|| member(&format!("{rest}at")));
        found.map(|member| QueryRole::Range(member, rule))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_known_by_their_names() {
        let members = ["status", "price", "created_at", "size", "tag"].map(str::to_owned);
        let filter = |name: &str| Some(QueryRole::Filter(name.to_owned()));
        let range = |name: &str, rule| Some(QueryRole::Range(name.to_owned(), rule));
        for (name, is_number, expected) in [
            ("status", false, filter("status")),
            ("filter[status]", false, filter("status")),
            ("tags[]", false, filter("tag")),
            ("size", false, filter("size")),
            ("size", true, Some(QueryRole::Size)),
            ("per_page", true, Some(QueryRole::Size)),
            ("page[size]", true, Some(QueryRole::Size)),
            ("page", true, Some(QueryRole::Page)),
            ("page[number]", true, Some(QueryRole::Page)),
            ("page[offset]", true, Some(QueryRole::Offset)),
            ("$skip", true, Some(QueryRole::Offset)),
            ("starting_after", false, Some(QueryRole::Cursor)),
            ("sort_by", false, Some(QueryRole::Sort)),
            ("sort_order", false, Some(QueryRole::Direction)),
            ("q", false, Some(QueryRole::Search)),
            ("min_price", true, range("price", RangeRule::AtLeast)),
            ("price[lt]", true, range("price", RangeRule::Less)),
            ("created_after", false, range("created_at", RangeRule::More)),
            ("verbose", false, None),
        ] {
            assert_eq!(role_of(name, &members, is_number), expected, "{name}");
        }
    }
}
