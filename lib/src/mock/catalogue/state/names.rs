//! The meaning of the names of parameters and properties.

/// Properties that identify entities.
pub(super) const IDS: [&str; 7] = ["id", "_id", "uuid", "guid", "key", "slug", "code"];
/// Properties that hold the entity or the entities of an envelope.
pub(super) const ENVELOPES: [&str; 12] = [
    "data", "result", "results", "item", "items", "response", "content", "value", "values",
    "records", "entries", "elements",
];

const CREATED: [&str; 16] = [
    "created",
    "createdat",
    "createdon",
    "createddate",
    "createddatetime",
    "createdtime",
    "createdtimestamp",
    "createtime",
    "createdate",
    "creationdate",
    "creationtime",
    "creationtimestamp",
    "datecreated",
    "timecreated",
    "insertedat",
    "createdatutc",
];
const UPDATED: [&str; 24] = [
    "updated",
    "updatedat",
    "updatedon",
    "updateddate",
    "updateddatetime",
    "updatedtime",
    "updatedtimestamp",
    "updatetime",
    "updatedate",
    "dateupdated",
    "timeupdated",
    "lastupdated",
    "lastupdatedat",
    "lastupdate",
    "modified",
    "modifiedat",
    "modifiedon",
    "modifieddate",
    "modifiedtime",
    "lastmodified",
    "lastmodifiedat",
    "lastmodifieddate",
    "datemodified",
    "changedat",
];

/// True if two names differ only in case and in the separators between words.
pub(in crate::mock) fn same_name(one: &str, other: &str) -> bool {
    let mut one = one.bytes().filter(u8::is_ascii_alphanumeric);
    let mut other = other.bytes().filter(u8::is_ascii_alphanumeric);
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(&b) => {}
            _ => return false,
        }
    }
}

/// A name in lower case, without separators.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// True if a property has the time when an entity was created.
pub(super) fn is_created(name: &str) -> bool {
    CREATED.contains(&plain(name).as_str())
}

/// True if a property has the time when an entity was last changed.
pub(super) fn is_updated(name: &str) -> bool {
    UPDATED.contains(&plain(name).as_str())
}

/// The singular of an English plural, by the usual endings.
pub(super) fn singular(name: &str) -> String {
    for (ending, instead) in
        [("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")]
    {
        if let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) {
            return format!("{stem}{instead}");
        }
    }
    let stem = name.strip_suffix('s').filter(|stem| !stem.is_empty() && !stem.ends_with('s'));
    stem.unwrap_or(name).to_owned()
}

/// True if one name equals the other, or is its plural.
pub(super) fn same_noun(one: &str, other: &str) -> bool {
    let noun = |name: &str| singular(&plain(name));
    noun(one) == noun(other)
}

/// The property with the id of an entity: the one with the name of the path parameter, or with that
/// name minus the kind (`id` for `petId` in `/pets/{petId}`), else one of the usual names.
pub(super) fn id_property<'p>(
    properties: &[&'p str],
    parameter: Option<&str>,
    collection: &str,
) -> Option<&'p str> {
    let named = |name: &str| properties.iter().copied().find(|own| same_name(own, name));
    let after_kind = parameter.and_then(|parameter| {
        let name = plain(parameter);
        let noun = singular(&plain(collection));
        let rest = name.strip_prefix(&noun).unwrap_or(&name);
        IDS.iter().find(|id| rest.ends_with(&plain(id))).copied()
    });
    parameter
        .and_then(named)
        .or_else(|| after_kind.and_then(named))
        .or_else(|| IDS.iter().find_map(|id| named(id)))
        .or_else(|| named(&format!("{}id", singular(&plain(collection)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_one() {
        assert!(same_name("page[size]", "pageSize") && same_name("$top", "top"));
        assert!(!same_name("tops", "top") && !same_name("to", "top"));
    }

    #[test]
    fn nouns_are_known_in_both_numbers() {
        for (plural, one) in [
            ("pets", "pet"),
            ("categories", "category"),
            ("boxes", "box"),
            ("addresses", "address"),
            ("status", "statu"),
            ("news", "new"),
            ("address", "address"),
        ] {
            assert_eq!(singular(plural), one);
        }
        assert!(same_noun("Users", "user") && same_noun("status", "status"));
        assert!(!same_noun("users", "pets"));
    }

    #[test]
    fn ids_are_found_by_the_parameter() {
        for (properties, parameter, collection, expected) in [
            (&["name", "id"][..], Some("petId"), "pets", Some("id")),
            (&["id", "username"], Some("username"), "users", Some("username")),
            (&["id", "user_name"], Some("userName"), "users", Some("user_name")),
            (&["petId", "name"], Some("id"), "pets", Some("petId")),
            (&["uuid", "name"], Some("pet_uuid"), "pets", Some("uuid")),
            (&["uuid", "id"], Some("pet"), "pets", Some("id")),
            (&["code", "name"], None, "countries", Some("code")),
            (&["name"], Some("id"), "pets", None),
        ] {
            assert_eq!(id_property(properties, parameter, collection), expected, "{properties:?}");
        }
    }

    #[test]
    fn times_are_found_by_name() {
        assert!(is_created("created_at") && is_created("createdAt") && is_created("dateCreated"));
        assert!(is_updated("lastModified") && is_updated("updated_at"));
        assert!(!is_created("created_by") && !is_updated("update_count"));
    }
}
