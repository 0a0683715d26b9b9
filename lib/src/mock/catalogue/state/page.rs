//! The members of an envelope that describe its page.

use crate::conform::{Api, Operation};
use crate::schema::{NodeId, SchemaSet, Types};

use super::names::plain;
use super::query::{QueryRole, role_of};
use super::target::target;

/// A member of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) struct PageField {
    pub(in crate::mock) path: Vec<String>,
    pub(in crate::mock) schema: NodeId,
    pub(in crate::mock) role: FieldRole,
    /// True if the envelope requires it.
    pub(in crate::mock) required: bool,
}

/// The content of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum FieldRole {
    /// The number of all entities that match.
    Total,
    /// The number of all pages.
    Pages,
    Page,
    Size,
    Offset,
    /// The number of entities on this page.
    Returned,
    /// A link, or the number of a page.
    Next,
    Previous,
    First,
    Last,
    This,
    NextCursor,
    PreviousCursor,
    HasMore,
    HasPrevious,
    Empty,
}

/// Members that contain members about the page.
const HOLDERS: [&str; 14] = [
    "meta",
    "metadata",
    "pagination",
    "paging",
    "page",
    "pageinfo",
    "links",
    "pageable",
    "cursors",
    "cursor",
    "responsemetadata",
    "paginationinfo",
    "paginator",
    "info",
];

/// The members of an envelope that are about its page. `list` leads to the list.
pub(super) fn fields(
    api: &Api,
    operation: &Operation,
    envelope: NodeId,
    list: &[String],
) -> Vec<PageField> {
    if list.is_empty() {
        return Vec::new();
    }
    let by_cursor = operation
        .parameters
        .iter()
        .any(|parameter| role_of(&parameter.name, &[], false) == Some(QueryRole::Cursor));
    let mut found = Vec::new();
    collect(&api.schemas, envelope, &mut Vec::new(), list, by_cursor, &mut found);
    let count = |field: &PageField| field.path.last().is_some_and(|name| plain(name) == "count");
    // `count` is the total, unless another member has it.
    if found.iter().any(|field| field.role == FieldRole::Total && !count(field)) {
        for field in found.iter_mut().filter(|field| count(field)) {
            field.role = FieldRole::Returned;
        }
    }
    found
}

fn collect(
    schemas: &SchemaSet,
    at: NodeId,
    path: &mut Vec<String>,
    list: &[String],
    by_cursor: bool,
    found: &mut Vec<PageField>,
) {
    if path.len() > 2 {
        return;
    }
    for (name, schema) in schemas.properties(at) {
        path.push(name.to_owned());
        let key = plain(name);
        let types = schemas.types(schema);
        let is_number = types.has(Types::INTEGER.with(Types::NUMBER));
        let is_holder = types.has(Types::OBJECT) && !is_number && !types.has(Types::STRING);
        let role = role(schemas, &key, schema, types, by_cursor);
        if list.first() == Some(&path[0]) {
            // The list itself, and the members beside it in `data`.
            if path.len() < list.len() && list.starts_with(path) {
                collect(schemas, schema, path, list, by_cursor, found);
            } else if path.len() > 1
                && !list.starts_with(path)
                && let Some(role) = role
            {
                let required = is_required(schemas, at, name);
                found.push(PageField { path: path.clone(), schema, role, required });
            }
        } else if is_holder && HOLDERS.contains(&key.as_str()) {
            collect(schemas, schema, path, list, by_cursor, found);
        } else if let Some(role) = role {
            let required = is_required(schemas, at, name);
            found.push(PageField { path: path.clone(), schema, role, required });
        }
        path.pop();
    }
}

fn is_required(schemas: &SchemaSet, at: NodeId, name: &str) -> bool {
    let node = schemas.node(target(schemas, at));
    let own = node.required.iter().any(|required| required == name);
    own || node.all_of.iter().any(|part| is_required(schemas, *part, name))
}

fn role(
    schemas: &SchemaSet,
    key: &str,
    schema: NodeId,
    types: Types,
    by_cursor: bool,
) -> Option<FieldRole> {
    let is_number = types.has(Types::INTEGER.with(Types::NUMBER));
    let is_text = types.has(Types::STRING);
    let is_truth = types.has(Types::BOOLEAN);
    let is_link = is_text || types.has(Types::OBJECT);
    if is_truth && !is_number && !is_text {
        return Some(match key {
            "hasmore" | "hasnext" | "hasnextpage" | "more" | "moreresults" | "morepages" => {
                FieldRole::HasMore
            }
            "hasprevious" | "hasprev" | "haspreviouspage" | "hasprevpage" => FieldRole::HasPrevious,
            "first" | "isfirst" => FieldRole::First,
            "last" | "islast" => FieldRole::Last,
            "empty" => FieldRole::Empty,
            _ => return None,
        });
    }
    let number = || {
        Some(match key {
            "total" | "totalcount" | "totalitems" | "totalresults" | "totalelements"
            | "totalrecords" | "totalhits" | "numfound" | "found" | "totalentries"
            | "totalrows" | "itemcount" | "totalsize" | "recordcount" | "count" | "odatacount" => {
                FieldRole::Total
            }
            "pages" | "totalpages" | "pagecount" | "lastpage" | "numpages" | "pagescount"
            | "pagestotal" => FieldRole::Pages,
            "page" | "currentpage" | "pagenumber" | "number" | "pageno" | "pageindex"
            | "current" => FieldRole::Page,
            "perpage" | "pagesize" | "limit" | "size" | "itemsperpage" | "maxresults" => {
                FieldRole::Size
            }
            "offset" | "skip" | "start" | "startindex" | "from" => FieldRole::Offset,
            "returned" | "numberofelements" | "resultcount" | "returnedcount" | "itemsreturned"
            | "countreturned" => FieldRole::Returned,
            "next" | "nextpage" | "nextoffset" => FieldRole::Next,
            "prev" | "previous" | "prevpage" | "previouspage" => FieldRole::Previous,
            "first" | "firstpage" => FieldRole::First,
            "last" => FieldRole::Last,
            _ => return None,
        })
    };
    let link = || {
        let node = schemas.node(target(schemas, schema));
        let is_uri = node.format.as_deref().is_some_and(|format| format.starts_with("uri"));
        let cursor = by_cursor && is_text && !is_uri && !types.has(Types::OBJECT);
        Some(match key {
            "nextcursor" | "nextpagetoken" | "nexttoken" | "endcursor" | "cursor" | "after"
            | "continuationtoken" | "nextmarker" | "continuation" | "nextpagecursor"
            | "pagetoken" | "marker" | "cursornext"
                if is_text =>
            {
                FieldRole::NextCursor
            }
            "prevcursor" | "previouscursor" | "before" | "previouspagetoken" | "prevpagetoken"
                if is_text =>
            {
                FieldRole::PreviousCursor
            }
            "next" if cursor => FieldRole::NextCursor,
            "previous" | "prev" if cursor => FieldRole::PreviousCursor,
            "next" | "nextpage" | "nexturl" | "nextlink" | "nextpageurl" | "odatanextlink"
            | "nexthref" => FieldRole::Next,
            "previous" | "prev" | "previouspage" | "prevpage" | "prevurl" | "previousurl"
            | "prevpageurl" | "prevlink" => FieldRole::Previous,
            "first" | "firstpage" | "firsturl" | "firstpageurl" => FieldRole::First,
            "last" | "lastpage" | "lasturl" | "lastpageurl" => FieldRole::Last,
            "self" => FieldRole::This,
            _ => return None,
        })
    };
    if is_number && let Some(role) = number() {
        return Some(role);
    }
    if is_link { link() } else { None }
}
