//! `x-faker`: hints for generating data, from the key and format of a value.

/// Keys in lower case without separators, with the name of the Faker.js method (version 8 and
/// later). A key may also end with one: `billingCity`. Each hint depends on the type: a price is a
/// number or a text, a city is always a text.
const HINTS: &[(&str, &str)] = &[
    ("accountnumber", "finance.accountNumber"),
    ("addressline1", "location.streetAddress"),
    ("addressline2", "location.secondaryAddress"),
    ("bic", "finance.bic"),
    ("city", "location.city"),
    ("companyname", "company.name"),
    ("country", "location.country"),
    ("countrycode", "location.countryCode"),
    ("currency", "finance.currencyCode"),
    ("currencycode", "finance.currencyCode"),
    ("displayname", "person.fullName"),
    ("emailaddress", "internet.email"),
    ("familyname", "person.lastName"),
    ("filename", "system.fileName"),
    ("firstname", "person.firstName"),
    ("fullname", "person.fullName"),
    ("givenname", "person.firstName"),
    ("hostname", "internet.domainName"),
    ("iban", "finance.iban"),
    ("jobtitle", "person.jobTitle"),
    ("lastname", "person.lastName"),
    ("mimetype", "system.mimeType"),
    ("phone", "phone.number"),
    ("phonenumber", "phone.number"),
    ("postalcode", "location.zipCode"),
    ("postcode", "location.zipCode"),
    ("productname", "commerce.productName"),
    ("streetaddress", "location.streetAddress"),
    ("surname", "person.lastName"),
    ("timezone", "location.timeZone"),
    ("useragent", "internet.userAgent"),
    ("username", "internet.username"),
    ("zip", "location.zipCode"),
    ("zipcode", "location.zipCode"),
];

const OF_NUMBERS: &[(&str, &str)] = &[
    ("lat", "location.latitude"),
    ("latitude", "location.latitude"),
    ("lng", "location.longitude"),
    ("lon", "location.longitude"),
    ("longitude", "location.longitude"),
    ("price", "commerce.price"),
];

/// The hint for texts under a key.
pub(crate) fn of_text(key: &str, format: Option<&str>) -> Option<&'static str> {
    match format {
        Some("email") => return Some("internet.email"),
        Some("uri") if ends(key, "avatar") || ends(key, "avatarurl") => {
            return Some("image.avatar");
        }
        // Any other format says more than a key.
        Some(_) => return None,
        None => {}
    }
    find(HINTS, key).or_else(|| find(&[("price", "commerce.price")], key))
}

/// The hint for numbers with a fraction under a key.
pub(crate) fn of_number(key: &str) -> Option<&'static str> {
    find(OF_NUMBERS, key)
}

fn find(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    table.iter().find(|(name, _)| ends(key, name)).map(|(_, hint)| *hint)
}

/// True if a key is a name, or ends with it at a word boundary.
fn ends(key: &str, name: &str) -> bool {
    let words = crate::infer::finalise::words::split::words(key);
    (0..words.len()).any(|from| words[from..].concat() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_by_key_and_format() {
        for (key, format, hint) in [
            ("email", Some("email"), Some("internet.email")),
            ("contact", Some("email"), Some("internet.email")),
            ("firstName", None, Some("person.firstName")),
            ("first_name", None, Some("person.firstName")),
            ("billingCity", None, Some("location.city")),
            ("velocity", None, None),
            ("IBAN", None, Some("finance.iban")),
            ("price", None, Some("commerce.price")),
            ("city", Some("uuid"), None),
            ("avatar_url", Some("uri"), Some("image.avatar")),
            ("title", None, None),
        ] {
            assert_eq!(of_text(key, format), hint, "{key}");
        }
        assert_eq!(of_number("unitPrice"), Some("commerce.price"));
        assert_eq!(of_number("lat"), Some("location.latitude"));
        assert_eq!(of_number("flat"), None);
    }
}
