//! `operationId`: `listUsers`, `getUser`, `createUser`, `cancelOrder`, each unique in a document.

use std::collections::BTreeMap;

use super::segments::version;
use super::wording::{VerbSource, Wording};
use crate::exchange::Method;
use crate::infer::finalise::words::split::words;

/// An operation to name.
pub(crate) struct UnnamedOperation<'a> {
    /// The path, with `{}` for each parameter.
    pub(crate) key: &'a str,
    pub(crate) method: Method,
    /// The parameters of the path.
    pub(crate) parameters: Vec<&'a str>,
    pub(crate) wording: &'a Wording,
}

/// A name for each operation.
///
/// If several would have the same name, the shortest path gets it, and the others add more: their
/// version, their parameters, their method, and finally a number. So a path that is found later
/// rarely renames another.
pub(crate) fn operation_ids(
    mut all: Vec<UnnamedOperation<'_>>,
) -> BTreeMap<(String, Method), String> {
    all.sort_by_key(|named| (named.key.matches('/').count(), named.key, named.method));
    // Code generators may ignore case.
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for named in all {
        let base = base(named.wording);
        let same_path = taken.get(&base.to_lowercase()) == Some(&named.key);
        let id = candidates(&base, &named, same_path)
            .into_iter()
            .find(|id| !taken.contains_key(&id.to_lowercase()))
            .unwrap_or_else(|| numbered(&base, &taken));
        taken.insert(id.to_lowercase(), named.key);
        ids.insert((named.key.to_owned(), named.method), id);
    }
    ids
}

fn candidates(base: &str, named: &UnnamedOperation<'_>, same_path: bool) -> Vec<String> {
    let version = capitalised(words(&version(named.key)).iter());
    let by: Vec<String> =
        named.parameters.iter().map(|name| capitalised(words(name).iter())).collect();
    let by = if by.is_empty() { String::new() } else { format!("By{}", by.join("And")) };
    let method = capitalised([named.method.as_str().to_owned()].iter());
    if same_path {
        return vec![format!("{base}By{method}"), format!("{base}{by}{version}{method}")];
    }
    vec![
        base.to_owned(),
        format!("{base}{version}"),
        format!("{base}{by}"),
        format!("{base}{by}{version}"),
        spelled_out(named),
    ]
}

/// All names in the path: for `/v1/a/b.csv`, `getV1ABCsv`.
fn spelled_out(named: &UnnamedOperation<'_>) -> String {
    let verb = match &named.wording.verb {
        VerbSource::Method(verb) => (*verb).to_owned(),
        VerbSource::Action(_) | VerbSource::Name => named.method.as_str().to_owned(),
    };
    let names: Vec<String> = words(&named.key.replace("{}", ""));
    format!("{verb}{}", capitalised(names.iter()))
}

fn numbered(base: &str, taken: &BTreeMap<String, &str>) -> String {
    let free = |id: &String| !taken.contains_key(&id.to_lowercase());
    (2u32..).map(|number| format!("{base}{number}")).find(free).unwrap_or_default()
}

fn base(wording: &Wording) -> String {
    let verb = match &wording.verb {
        VerbSource::Method(verb) => verb,
        VerbSource::Action(verb) => verb.as_str(),
        VerbSource::Name => "",
    };
    let things = wording.things.iter().flat_map(|thing| &thing.words);
    let things = things.chain(&wording.representation);
    let rest = if wording.things.is_empty() { "Root".to_owned() } else { capitalised(things) };
    if verb.is_empty() {
        let mut chars = rest.chars();
        return chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect();
    }
    format!("{verb}{rest}")
}

fn capitalised<'w>(words: impl Iterator<Item = &'w String>) -> String {
    let mut name = String::new();
    for word in words {
        let mut chars = word.chars();
        name.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(chars.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::shape::{PathShape, Siblings};
    use super::*;

    fn ids(all: &[(&str, Method)]) -> Vec<String> {
        let keys: BTreeSet<&str> = all.iter().map(|(key, _)| *key).collect();
        let wordings: Vec<Wording> = all
            .iter()
            .map(|(key, method)| {
                let operation = crate::infer::state::ObservedOperation::default();
                Wording::of(key, *method, PathShape::of(key, &operation, Siblings::of(key, &keys)))
            })
            .collect();
        let named = all.iter().zip(&wordings).map(|((key, method), wording)| UnnamedOperation {
            key,
            method: *method,
            parameters: vec!["owner", "repo_id"][..key.matches("{}").count().min(2)].to_vec(),
            wording,
        });
        let mut ids = operation_ids(named.collect());
        all.iter()
            .map(|(key, method)| ids.remove(&((*key).to_owned(), *method)).expect("has a name"))
            .collect()
    }

    #[test]
    fn names_as_people_write_them() {
        use Method::{Delete, Get, Head, Patch, Post, Put};
        for (key, method, id) in [
            ("/users", Get, "listUsers"),
            ("/users", Post, "createUser"),
            ("/users/{}", Get, "getUser"),
            ("/users/{}", Put, "replaceUser"),
            ("/users/{}", Patch, "updateUser"),
            ("/users/{}", Post, "updateUser"),
            ("/users/{}", Delete, "deleteUser"),
            ("/users/{}", Head, "checkUser"),
            ("/users/{}/posts/{}", Get, "getUserPost"),
            ("/users/{}/avatar", Get, "getUserAvatar"),
            ("/users/{}/avatar", Post, "postUserAvatar"),
            ("/api/v2/line-items", Get, "listLineItems"),
            ("/orders/{}/cancel", Post, "cancelOrder"),
            ("/orders/{}:cancel", Post, "cancelOrder"),
            ("/charges/{}/dispute/close", Post, "closeChargeDispute"),
            ("/configs/{}/update", Post, "updateConfig"),
            ("/issues/{}/lock", Delete, "deleteIssueLock"),
            ("/tasks/{}/addProject", Post, "addTaskProject"),
            ("/users/search", Get, "searchUsers"),
            ("/auth/login", Post, "authLogin"),
            ("/login", Post, "login"),
            ("/users/me", Get, "getCurrentUser"),
            ("/repos/{}/{}/releases/latest", Get, "getRepoLatestRelease"),
            ("/posts/popular", Get, "listPopularPosts"),
            ("/2010-04-01/Accounts/{}/Calls/{}.json", Get, "getAccountCall"),
            ("/oauth2/token", Post, "postOauth2Token"),
            ("/", Get, "getRoot"),
            ("/{}", Get, "getItem"),
            ("/me", Get, "getCurrentUser"),
            ("/accounts/v3/accounts", Get, "listAccounts"),
            ("/v1/payments/confirm", Post, "confirmPayment"),
            ("/v1/payments/initiate", Post, "initiatePayment"),
            ("/v1/payments/search", Post, "searchPayments"),
            ("/rpc/getUser", Post, "getUser"),
            ("/rpc/ping", Post, "ping"),
            ("/api/users.list", Get, "listUsers"),
            ("/api/chat.postMessage", Post, "postChatMessage"),
            ("/orders/{}/addItem", Post, "addOrderItem"),
            ("/odata/Products({})", Get, "getProduct"),
            ("/odata/Products({})/Category", Get, "getProductCategory"),
            ("/{}/news", Get, "listNews"),
            ("/v1", Get, "getV1"),
            ("/get", Get, "get"),
            ("/v1/delete", Delete, "delete"),
        ] {
            assert_eq!(ids(&[(key, method)]), [id], "{key}");
        }
    }

    #[test]
    fn each_name_stands_once() {
        use Method::{Get, Patch, Post};
        assert_eq!(
            ids(&[("/v2/users", Get), ("/users", Get), ("/v1/users", Get)]),
            ["listUsersV2", "listUsers", "listUsersV1"]
        );
        assert_eq!(
            ids(&[
                ("/repos/{}/{}", Get),
                ("/repos/{}", Get),
                ("/repos/{}", Post),
                ("/repos/{}", Patch)
            ]),
            ["getRepoByOwnerAndRepoId", "getRepo", "updateRepo", "updateRepoByPatch"]
        );
        // One for each representation.
        assert_eq!(
            ids(&[
                ("/report.csv", Get),
                ("/report.xml", Get),
                ("/items/{}", Get),
                ("/items/{}.json", Get)
            ]),
            ["getReportCsv", "getReportXml", "getItem", "getItemJson"]
        );
        // However similar they are.
        assert_eq!(
            ids(&[("/a-b", Get), ("/a_b", Get), ("/aB", Get)]),
            ["getAB", "getAB3", "getAB2"]
        );
    }
}
