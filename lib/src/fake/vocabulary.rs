//! The meanings of data, from `x-faker` and property names, and plausible values for them.

use rand::RngCore;

use crate::format::{self, below, pick, push_digits};

#[cfg(test)]
mod tests;

/// An entry of [`VOCABULARY`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Meaning(u16);

/// Plausible numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) low: i64,
    pub(super) high: i64,
    /// Decimal places.
    pub(super) scale: u32,
}

struct Word {
    /// Names in `x-faker`, those of Faker.js before and after its version 8. The part after the dot
    /// is enough if no other entry has it.
    faker: &'static [&'static str],
    /// Property names in lower case, letters and digits only; longer names may end with them.
    properties: &'static [&'static str],
    text: fn(&mut dyn RngCore, &mut String),
    number: Option<Range>,
}

impl std::fmt::Debug for Meaning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.word().faker.first().unwrap_or(&"?"))
    }
}

impl Meaning {
    fn word(self) -> &'static Word {
        &VOCABULARY[usize::from(self.0)]
    }

    fn find(found: impl Fn(&Word) -> bool) -> Option<Meaning> {
        VOCABULARY.iter().position(found).and_then(|at| u16::try_from(at).ok()).map(Meaning)
    }

    /// The meaning of a name in `x-faker`: `name.firstName`, `faker.internet.email`, `email()`.
    pub(super) fn of_faker(name: &str) -> Option<Meaning> {
        let name = name.split('(').next().unwrap_or(name).trim();
        let name = name.strip_prefix("faker.").unwrap_or(name);
        let last = |full: &str| {
            full.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
        };
        Meaning::find(|word| word.faker.iter().any(|known| known.eq_ignore_ascii_case(name)))
            .or_else(|| Meaning::find(|word| word.faker.iter().any(|known| last(known))))
            .or_else(|| Meaning::of_property(name.rsplit('.').next()?))
    }

    /// The meaning of a property's name: of the whole name, or of its end from a word boundary on.
    pub(super) fn of_property(name: &str) -> Option<Meaning> {
        let mut plain = String::with_capacity(name.len());
        let mut starts = Vec::new();
        let mut boundary = true;
        for c in name.chars() {
            if !c.is_ascii_alphanumeric() {
                boundary = true;
                continue;
            }
            if boundary || c.is_ascii_uppercase() && !plain.is_empty() {
                starts.push(plain.len());
            }
            boundary = false;
            plain.push(c.to_ascii_lowercase());
        }
        starts.iter().find_map(|start| {
            let end = &plain[*start..];
            let singular = end.strip_suffix('s').unwrap_or(end);
            Meaning::find(|word| word.properties.contains(&end))
                .or_else(|| Meaning::find(|word| word.properties.contains(&singular)))
        })
    }

    /// Appends a plausible text.
    pub(super) fn write(self, rng: &mut dyn RngCore, out: &mut String) {
        (self.word().text)(rng, out);
    }

    /// Plausible numbers.
    pub(super) fn number(self) -> Option<Range> {
        self.word().number
    }
}

/// Appends words with `low` to `high` characters in total, inclusive.
pub(super) fn words(rng: &mut dyn RngCore, out: &mut String, low: u64, high: u64) {
    let (start, low, high) = (out.len(), low as usize, high as usize);
    let mut count = 1 + below(rng, 3);
    loop {
        let length = out.len() - start;
        let word = pick(rng, LATIN);
        count = count.saturating_sub(1);
        out.push_str(if length == 0 { "" } else { " " });
        out.push_str(word);
        let longer = out.len() - start;
        if longer > high {
            // Whole words, if they are enough.
            out.truncate(start + if length >= low.max(1) { length } else { high });
            break;
        }
        if longer >= low && count == 0 {
            break;
        }
    }
    // A trailing space would be lost by trimming.
    if out.ends_with(' ') {
        out.pop();
        out.push('s');
    }
}

fn push_words(rng: &mut dyn RngCore, out: &mut String, count: u64) {
    let start = out.len();
    for at in 0..count {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(pick(rng, LATIN));
    }
    if let Some(first) = out.get_mut(start..=start) {
        first.make_ascii_uppercase();
    }
}

fn sentence(rng: &mut dyn RngCore, out: &mut String) {
    let count = 5 + below(rng, 5);
    push_words(rng, out, count);
    out.push('.');
}

fn full_name(rng: &mut dyn RngCore, out: &mut String) {
    out.push_str(pick(rng, FIRST_NAMES));
    out.push(' ');
    out.push_str(pick(rng, LAST_NAMES));
}

fn street(rng: &mut dyn RngCore, out: &mut String) {
    push_digits(out, 1 + below(rng, 200), 1);
    out.push(' ');
    out.push_str(pick(rng, LAST_NAMES));
    out.push_str(pick(rng, &[" Street", " Road", " Lane", " Avenue"]));
}

fn hex(rng: &mut dyn RngCore, out: &mut String, digits: u32) {
    let bits = rng.next_u64();
    out.extend(
        (0..digits)
            .map(|at| char::from(b"0123456789abcdef"[(bits >> (4 * (at % 16)) & 15) as usize])),
    );
}

fn digits(rng: &mut dyn RngCore, out: &mut String, count: u32) {
    push_digits(out, below(rng, 10_u64.pow(count)), count as usize);
}

fn slug(rng: &mut dyn RngCore, out: &mut String) {
    out.push_str(pick(rng, LATIN));
    out.push('-');
    out.push_str(pick(rng, LATIN));
}

fn of_format(name: &str, rng: &mut dyn RngCore, out: &mut String) {
    if let Some(format) = format::by_name(name) {
        (format.write)(rng, out);
    }
}

const fn range(low: i64, high: i64, scale: u32) -> Option<Range> {
    Some(Range { low, high, scale })
}

macro_rules! words {
    ($([$($faker:literal),*] [$($property:literal),*] $text:expr, $number:expr;)*) => {
        &[$(Word { faker: &[$($faker),*], properties: &[$($property),*], text: $text, number: $number }),*]
    };
}

/// The first entry with a name is used.
static VOCABULARY: &[Word] = words! {
    ["name.firstName", "person.firstName"] ["firstname", "givenname", "forename"] |r, o| o.push_str(pick(r, FIRST_NAMES)), None;
    ["name.lastName", "person.lastName"] ["lastname", "familyname", "surname"] |r, o| o.push_str(pick(r, LAST_NAMES)), None;
    ["name.findName", "name.fullName", "person.fullName"] ["fullname", "displayname", "author", "owner", "customername", "contactname"] full_name, None;
    ["name.jobTitle", "person.jobTitle"] ["jobtitle", "job", "occupation", "profession"] |r, o| o.push_str(pick(r, JOBS)), None;
    ["name.prefix", "person.prefix"] ["salutation"] |r, o| o.push_str(pick(r, &["Mr.", "Ms.", "Dr."])), None;
    ["name.gender", "person.gender", "person.sex"] ["gender", "sex"] |r, o| o.push_str(pick(r, &["female", "male", "other"])), None;
    ["internet.email", "internet.exampleEmail", "internet.safeEmail"] ["email", "emailaddress", "mail"] |r, o| of_format("email", r, o), None;
    ["internet.userName", "internet.username", "internet.displayName"] ["username", "login", "nickname", "screenname", "handle"] |r, o| {
        o.extend(pick(r, FIRST_NAMES).chars().filter(char::is_ascii).map(|c| c.to_ascii_lowercase()));
        push_digits(o, below(r, 1000), 1);
    }, None;
    ["internet.password"] ["password", "passwd", "secret", "passphrase"] |r, o| of_format("password", r, o), None;
    ["image.imageUrl", "image.url", "image.avatar", "internet.avatar", "image.image", "image.urlLoremFlickr", "image.urlPicsumPhotos"] ["avatar", "image", "photo", "picture", "thumbnail", "logo", "icon", "imageurl", "avatarurl"] |r, o| {
        o.push_str("https://cdn.example.com/images/");
        hex(r, o, 12);
        o.push_str(".png");
    }, None;
    ["internet.url"] ["url", "uri", "href", "link", "website", "homepage", "webpage", "blog"] |r, o| of_format("uri", r, o), None;
    ["internet.domainName", "internet.domainWord"] ["domain", "hostname", "host", "domainname"] |r, o| of_format("hostname", r, o), None;
    ["internet.ip", "internet.ipv4"] ["ip", "ipaddress", "ipv4"] |r, o| of_format("ipv4", r, o), None;
    ["internet.ipv6"] ["ipv6"] |r, o| of_format("ipv6", r, o), None;
    ["internet.mac"] ["mac", "macaddress"] |r, o| for at in 0..6 { if at > 0 { o.push(':'); } hex(r, o, 2); }, None;
    ["internet.userAgent"] ["useragent"] |_, o| o.push_str("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), None;
    ["internet.protocol"] ["protocol", "scheme"] |r, o| o.push_str(pick(r, &["http", "https"])), None;
    ["internet.port"] ["port"] |r, o| push_digits(o, 1024 + below(r, 60_000), 1), range(1024, 61_024, 0);
    ["internet.httpMethod"] ["httpmethod"] |r, o| o.push_str(pick(r, &["GET", "POST", "PUT", "DELETE"])), None;
    ["internet.color", "color.rgb", "color.human", "commerce.color"] ["color", "colour"] |r, o| { o.push('#'); hex(r, o, 6); }, None;
    ["internet.slug", "lorem.slug", "helpers.slugify"] ["slug"] slug, None;
    ["random.uuid", "datatype.uuid", "string.uuid"] ["uuid", "guid", "correlationid", "requestid", "traceid"] |r, o| of_format("uuid", r, o), None;
    ["phone.phoneNumber", "phone.number", "phone.phoneNumberFormat"] ["phone", "phonenumber", "telephone", "mobile", "tel", "fax", "cell"] |r, o| of_format("phone", r, o), None;
    ["phone.imei"] ["imei"] |r, o| digits(r, o, 15), None;
    ["address.streetAddress", "location.streetAddress"] ["streetaddress", "street", "address", "addressline1", "address1", "line1"] street, None;
    ["address.streetName", "location.street", "address.street"] ["streetname"] |r, o| { o.push_str(pick(r, LAST_NAMES)); o.push_str(" Street"); }, None;
    ["address.secondaryAddress", "location.secondaryAddress"] ["addressline2", "address2", "line2"] |r, o| { o.push_str("Apt. "); push_digits(o, 1 + below(r, 400), 1); }, None;
    ["address.buildingNumber", "location.buildingNumber"] ["housenumber", "buildingnumber"] |r, o| push_digits(o, 1 + below(r, 200), 1), range(1, 200, 0);
    ["address.city", "location.city", "address.cityName"] ["city", "town", "locality", "municipality"] |r, o| o.push_str(pick(r, CITIES)), None;
    ["address.zipCode", "location.zipCode", "address.postalCode"] ["zip", "zipcode", "postalcode", "postcode"] |r, o| digits(r, o, 5), range(10_000, 99_999, 0);
    ["address.state", "location.state", "address.county", "location.county", "address.stateAbbr"] ["province", "region", "county", "addressstate"] |r, o| o.push_str(pick(r, REGIONS)), None;
    ["address.countryCode", "location.countryCode"] ["countrycode", "countryiso"] |r, o| o.push_str(pick(r, COUNTRIES).1), None;
    ["address.country", "location.country"] ["country", "nationality"] |r, o| o.push_str(pick(r, COUNTRIES).0), None;
    ["address.latitude", "location.latitude"] ["lat", "latitude"] |r, o| { push_digits(o, below(r, 90), 1); o.push('.'); digits(r, o, 4); }, range(-90, 90, 4);
    ["address.longitude", "location.longitude"] ["lon", "lng", "long", "longitude"] |r, o| { push_digits(o, below(r, 180), 1); o.push('.'); digits(r, o, 4); }, range(-180, 180, 4);
    ["address.timeZone", "location.timeZone", "date.timeZone"] ["timezone", "tz"] |r, o| o.push_str(pick(r, &["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Africa/Nairobi"])), None;
    ["company.companyName", "company.name"] ["company", "companyname", "organization", "organisation", "employer", "vendor", "manufacturer", "brand"] |r, o| {
        o.push_str(pick(r, LAST_NAMES));
        o.push_str(pick(r, &[" Ltd", " Group", " Labs", " & Co", " Works"]));
    }, None;
    ["company.catchPhrase", "company.bs", "company.buzzPhrase"] ["slogan", "tagline"] sentence, None;
    ["commerce.productName", "commerce.product"] ["productname", "product", "itemname", "item", "model"] product, None;
    ["commerce.department"] ["department", "category", "team"] |r, o| o.push_str(pick(r, CATEGORIES)), None;
    ["commerce.productMaterial"] ["material"] |r, o| o.push_str(pick(r, &["cotton", "oak", "steel", "wool", "glass"])), None;
    ["commerce.productAdjective"] ["adjective"] |r, o| o.push_str(pick(r, ADJECTIVES)), None;
    ["commerce.productDescription"] [] sentence, None;
    ["commerce.price", "finance.amount"] ["price", "amount", "cost", "total", "subtotal", "balance", "fee", "tax", "salary", "discount", "revenue"] |r, o| { push_digits(o, 1 + below(r, 999), 1); o.push('.'); digits(r, o, 2); }, range(1, 999, 2);
    ["finance.currencyCode"] ["currency", "currencycode"] |r, o| o.push_str(pick(r, &["EUR", "USD", "GBP", "JPY", "CHF", "SEK"])), None;
    ["finance.currencyName"] ["currencyname"] |r, o| o.push_str(pick(r, &["Euro", "US Dollar", "Yen", "Swiss Franc"])), None;
    ["finance.currencySymbol"] ["currencysymbol"] |r, o| o.push_str(pick(r, &["€", "$", "£", "¥"])), None;
    ["finance.iban"] ["iban"] |r, o| of_format("iban", r, o), None;
    ["finance.bic"] ["bic", "swift"] |r, o| o.push_str(pick(r, &["COBADEFFXXX", "DEUTDEFF", "BNPAFRPP", "CHASUS33"])), None;
    ["finance.account", "finance.accountNumber"] ["accountnumber", "account"] |r, o| digits(r, o, 8), range(10_000_000, 99_999_999, 0);
    ["finance.creditCardNumber"] ["creditcard", "cardnumber"] |r, o| o.push_str(pick(r, &["4111111111111111", "5555555555554444", "378282246310005"])), None;
    ["finance.transactionType"] ["transactiontype"] |r, o| o.push_str(pick(r, &["deposit", "invoice", "payment", "withdrawal"])), None;
    ["date.past", "date.recent", "date.future", "date.soon", "date.between", "date.anytime"] ["createdat", "updatedat", "deletedat", "modifiedat", "timestamp", "datetime", "created", "updated", "modified", "expiresat", "publishedat", "startsat", "endsat", "createdon", "updatedon", "at"] |r, o| of_format("date-time", r, o), range(1_420_070_400, 1_798_761_599, 0);
    ["date.birthdate"] ["date", "birthday", "birthdate", "dateofbirth", "dob", "startdate", "enddate", "duedate", "day"] |r, o| of_format("date", r, o), range(1_420_070_400, 1_798_761_599, 0);
    ["date.month"] ["month"] |r, o| o.push_str(pick(r, &["January", "March", "May", "August", "October"])), range(1, 12, 0);
    ["date.weekday"] ["weekday", "dayofweek"] |r, o| o.push_str(pick(r, &["Monday", "Wednesday", "Friday", "Sunday"])), range(1, 7, 0);
    [] ["year"] |r, o| push_digits(o, 1990 + below(r, 37), 4), range(1990, 2026, 0);
    [] ["time"] |r, o| of_format("time", r, o), None;
    [] ["hour"] |r, o| push_digits(o, below(r, 24), 1), range(0, 23, 0);
    [] ["minute", "second"] |r, o| push_digits(o, below(r, 60), 1), range(0, 59, 0);
    ["lorem.word", "random.word", "word.noun", "hacker.noun"] ["tag", "label", "keyword", "topic"] |r, o| o.push_str(pick(r, LATIN)), None;
    ["lorem.words", "random.words", "word.words"] ["title", "subject", "headline", "heading", "caption"] |r, o| { let count = 2 + below(r, 3); push_words(r, o, count); }, None;
    ["lorem.sentence", "lorem.sentences", "lorem.lines", "hacker.phrase"] ["description", "summary", "message", "comment", "text", "content", "body", "note", "detail", "about", "reason", "excerpt", "abstract"] sentence, None;
    ["lorem.paragraph", "lorem.paragraphs", "lorem.text", "person.bio"] ["bio", "biography", "paragraph"] |r, o| for at in 0..3 { if at > 0 { o.push(' '); } sentence(r, o); }, None;
    ["system.mimeType"] ["mimetype", "contenttype", "mediatype"] |r, o| o.push_str(pick(r, &["application/json", "image/png", "text/plain", "application/pdf"])), None;
    ["system.fileName", "system.commonFileName"] ["filename", "file"] |r, o| { slug(r, o); o.push_str(pick(r, &[".txt", ".pdf", ".png", ".csv"])); }, None;
    ["system.filePath", "system.directoryPath"] ["path", "filepath", "directory"] |r, o| of_format("uri-reference", r, o), None;
    ["system.fileExt", "system.commonFileExt"] ["extension"] |r, o| o.push_str(pick(r, &["txt", "pdf", "png", "csv"])), None;
    ["system.semver"] ["version", "semver"] |r, o| { for at in 0..3 { if at > 0 { o.push('.'); } push_digits(o, below(r, 10), 1); } }, range(1, 9, 0);
    ["git.commitSha"] ["sha", "commit", "sha1"] |r, o| { hex(r, o, 16); hex(r, o, 16); hex(r, o, 8); }, None;
    ["git.branch"] ["branch"] |r, o| o.push_str(pick(r, &["main", "develop", "release"])), None;
    ["random.locale", "location.locale"] ["locale", "language", "lang", "languagecode"] |r, o| o.push_str(pick(r, &["en", "de", "fr", "es", "ja"])), None;
    ["random.number", "datatype.number", "number.int"] ["number", "quantity", "qty", "count", "stock", "limit", "size", "length", "amountofitems"] |r, o| push_digits(o, below(r, 100), 1), range(0, 100, 0);
    ["random.float", "datatype.float", "number.float"] ["ratio", "score", "weight", "height", "width"] |r, o| { push_digits(o, below(r, 100), 1); o.push('.'); digits(r, o, 2); }, range(0, 100, 2);
    ["random.boolean", "datatype.boolean"] [] |r, o| o.push_str(pick(r, &["true", "false"])), None;
    ["random.alphaNumeric", "string.alphanumeric", "string.nanoid", "datatype.string"] ["token", "key", "code", "reference", "ref", "sku", "hash", "etag", "nonce", "apikey"] |r, o| hex(r, o, 12), range(1, 999_999, 0);
    ["random.hexaDecimal", "string.hexadecimal", "datatype.hexadecimal"] ["hex", "checksum", "digest"] |r, o| hex(r, o, 16), None;
    ["database.mongodbObjectId"] ["objectid"] |r, o| { hex(r, o, 16); hex(r, o, 8); }, None;
    [] ["age"] |r, o| push_digits(o, 18 + below(r, 60), 1), range(18, 77, 0);
    [] ["rating", "stars", "rank", "priority", "level"] |r, o| push_digits(o, 1 + below(r, 5), 1), range(1, 5, 0);
    [] ["percent", "percentage", "progress"] |r, o| push_digits(o, below(r, 101), 1), range(0, 100, 0);
    [] ["page"] |r, o| push_digits(o, 1 + below(r, 10), 1), range(1, 10, 0);
    [] ["statuscode"] |r, o| o.push_str(pick(r, &["200", "201", "404", "500"])), range(200, 599, 0);
    [] ["status", "state"] |r, o| o.push_str(pick(r, &["active", "inactive", "pending", "archived"])), None;
    [] ["type", "kind"] |r, o| o.push_str(pick(r, &["standard", "basic", "premium", "custom"])), None;
    [] ["role"] |r, o| o.push_str(pick(r, &["admin", "editor", "viewer"])), None;
    ["science.unit"] ["unit"] |r, o| o.push_str(pick(r, &["kg", "m", "s", "piece"])), None;
    [] ["cursor", "nextpagetoken", "pagetoken"] |r, o| hex(r, o, 16), None;
    ["animal.type"] ["pet", "species"] |r, o| o.push_str(pick(r, &["cat", "dog", "horse", "rabbit"])), None;
    ["vehicle.vehicle"] ["vehicle", "car"] |r, o| o.push_str(pick(r, &["bicycle", "estate car", "van"])), None;
    ["music.genre"] ["genre"] |r, o| o.push_str(pick(r, &["jazz", "rock", "folk", "classical"])), None;
    ["random.identifier"] ["id", "identifier"] |r, o| digits(r, o, 6), range(1, 99_999, 0);
    [] ["name"] |r, o| { o.push_str(pick(r, ADJECTIVES)); o.push(' '); o.push_str(pick(r, THINGS)); if let Some(first) = o.get_mut(..1) { first.make_ascii_uppercase(); } }, None;
    ["location.continent"] [] |r, o| o.push_str(pick(r, &["Africa", "Asia", "Europe", "North America", "South America"])), None;
    ["address.direction", "location.direction"] [] |r, o| o.push_str(pick(r, &["North", "Northeast", "South", "Southwest", "East", "West"])), None;
    ["address.cardinalDirection", "location.cardinalDirection"] [] |r, o| o.push_str(pick(r, &["North", "East", "South", "West"])), None;
    ["address.ordinalDirection", "location.ordinalDirection"] [] |r, o| o.push_str(pick(r, &["Northeast", "Northwest", "Southeast", "Southwest"])), None;
    ["location.language"] [] |r, o| o.push_str(pick(r, &["English", "French", "German", "Japanese", "Spanish"])), None;
    ["number.binary", "string.binary"] [] |r, o| { let bits = below(r, 256); o.push_str(&format!("{bits:b}")); }, range(0, 1, 0);
    ["number.octal", "string.octal"] [] |r, o| { let number = below(r, 4096); o.push_str(&format!("{number:o}")); }, range(0, 7, 0);
    ["datatype.bigInt", "number.bigInt"] [] |r, o| digits(r, o, 15), range(1, 999_999_999_999_999, 0);
    ["number.hex"] [] |r, o| hex(r, o, 1), None;
    ["number.romanNumeral"] [] |r, o| o.push_str(pick(r, &["IV", "IX", "XII", "XXI", "MMXXIV"])), None;
    ["random.alpha", "string.alpha", "string.fromCharacters", "string.sample"] [] |r, o| o.push_str(pick(r, LATIN)), None;
    ["random.numeric", "string.numeric"] [] |r, o| digits(r, o, 6), range(0, 999_999, 0);
    ["string.ulid"] [] |r, o| o.push_str(pick(r, &["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01BX5ZZKBKACTAV9WEVGEMMVRY", "01BX5ZZKBKACTAV9WEVGEMMVS1"])), None;
    ["string.symbol"] [] |r, o| o.push_str(pick(r, &["!", "#", "%", "+", "@"])), None;
    ["airline.airport"] [] |r, o| o.push_str(pick(r, &["Berlin Brandenburg Airport", "Haneda Airport", "Lisbon Airport"])), None;
    ["airline.airline"] [] |r, o| o.push_str(pick(r, &["British Airways", "Kenya Airways", "Lufthansa"])), None;
    ["airline.airplane"] [] |r, o| o.push_str(pick(r, &["Airbus A320", "Boeing 737", "Embraer 190"])), None;
    ["airline.aircraftType"] [] |r, o| o.push_str(pick(r, &["narrowbody", "regional", "widebody"])), None;
    ["airline.flightNumber"] [] |r, o| push_digits(o, 1 + below(r, 9999), 1), range(1, 9999, 0);
    ["airline.recordLocator"] [] |r, o| o.push_str(pick(r, &["KIFRWE", "PBGBKG", "XWMKTS"])), None;
    ["airline.seat"] [] |r, o| { push_digits(o, 1 + below(r, 30), 1); o.push_str(pick(r, &["A", "C", "D", "F"])); }, None;
    ["animal.bear"] [] |r, o| o.push_str(pick(r, &["Brown bear", "Sloth bear"])), None;
    ["animal.bird"] [] |r, o| o.push_str(pick(r, &["Hawfinch", "Robin", "Wren"])), None;
    ["animal.cat"] [] |r, o| o.push_str(pick(r, &["Himalayan", "Siamese"])), None;
    ["animal.cetacean"] [] |r, o| o.push_str(pick(r, &["Blue whale", "Orca"])), None;
    ["animal.cow"] [] |r, o| o.push_str(pick(r, &["Angus", "Holstein"])), None;
    ["animal.crocodilia"] [] |r, o| o.push_str(pick(r, &["Black caiman", "Gharial"])), None;
    ["animal.dog"] [] |r, o| o.push_str(pick(r, &["Beagle", "Border Collie"])), None;
    ["animal.fish"] [] |r, o| o.push_str(pick(r, &["Carp", "Trout"])), None;
    ["animal.horse"] [] |r, o| o.push_str(pick(r, &["Arabian", "Friesian"])), None;
    ["animal.insect"] [] |r, o| o.push_str(pick(r, &["Honey bee", "Tramp ant"])), None;
    ["animal.lion"] [] |r, o| o.push_str(pick(r, &["Asiatic lion", "Cape lion"])), None;
    ["animal.rabbit"] [] |r, o| o.push_str(pick(r, &["Dwarf Hotot", "Rex"])), None;
    ["animal.rodent"] [] |r, o| o.push_str(pick(r, &["Capybara", "Field mouse"])), None;
    ["animal.snake"] [] |r, o| o.push_str(pick(r, &["Adder", "Grass snake"])), None;
    ["animal.petName"] [] |r, o| o.push_str(pick(r, &["Bella", "Luna", "Max", "Rex"])), None;
    ["book.author", "music.artist"] [] full_name, None;
    ["book.format"] [] |r, o| o.push_str(pick(r, &["Audiobook", "Ebook", "Hardcover", "Paperback"])), None;
    ["book.genre"] [] |r, o| o.push_str(pick(r, &["Crime", "Fantasy", "Poetry", "Science Fiction"])), None;
    ["book.publisher"] [] |r, o| o.push_str(pick(r, &["Faber & Faber", "Penguin Books", "Springer"])), None;
    ["book.series", "book.title", "music.album", "music.songName"] [] |r, o| { let count = 2 + below(r, 3); push_words(r, o, count); }, None;
    ["color.space", "color.cssSupportedSpace"] [] |r, o| o.push_str(pick(r, &["display-p3", "rec2020", "sRGB"])), None;
    ["color.cssSupportedFunction"] [] |r, o| o.push_str(pick(r, &["hsl", "hwb", "lab", "rgb"])), None;
    ["commerce.isbn"] [] |r, o| o.push_str(pick(r, &["978-0-306-40615-7", "978-1-86197-876-9", "978-3-16-148410-0"])), None;
    ["company.catchPhraseAdjective", "company.buzzAdjective", "company.bsAdjective", "company.catchPhraseDescriptor", "company.bsBuzz", "person.jobDescriptor", "name.jobDescriptor", "hacker.adjective", "food.adjective", "word.adjective"] [] |r, o| o.push_str(pick(r, ADJECTIVES)), None;
    ["company.catchPhraseNoun", "company.buzzNoun", "company.bsNoun"] [] |r, o| o.push_str(pick(r, THINGS)), None;
    ["company.buzzVerb", "hacker.verb", "word.verb"] [] |r, o| o.push_str(pick(r, &["build", "carry", "connect", "grow", "share"])), None;
    ["company.companySuffix", "company.suffixes"] [] |r, o| o.push_str(pick(r, &["Group", "Inc", "LLC", "Ltd"])), None;
    ["hacker.ingverb"] [] |r, o| o.push_str(pick(r, &["building", "connecting", "parsing"])), None;
    ["hacker.abbreviation"] [] |r, o| o.push_str(pick(r, &["API", "CSS", "HTTP", "SQL"])), None;
    ["database.column"] [] |r, o| o.push_str(pick(r, &["created_at", "id", "name", "status"])), None;
    ["database.collation"] [] |r, o| o.push_str(pick(r, &["ascii_bin", "utf8_general_ci", "utf8_unicode_ci"])), None;
    ["database.engine"] [] |r, o| o.push_str(pick(r, &["ARCHIVE", "InnoDB", "MEMORY"])), None;
    ["database.type"] [] |r, o| o.push_str(pick(r, &["bigint", "date", "text", "varchar"])), None;
    ["finance.creditCardCVV"] [] |r, o| digits(r, o, 3), range(100, 999, 0);
    ["finance.creditCardIssuer"] [] |r, o| o.push_str(pick(r, &["american_express", "mastercard", "visa"])), None;
    ["finance.pin"] [] |r, o| digits(r, o, 4), range(1000, 9999, 0);
    ["finance.accountName"] [] |r, o| o.push_str(pick(r, &["Checking Account", "Money Market Account", "Savings Account"])), None;
    ["finance.routingNumber"] [] |r, o| digits(r, o, 9), range(100_000_000, 999_999_999, 0);
    ["finance.mask", "finance.maskedNumber"] [] |r, o| { o.push_str("****"); digits(r, o, 4); }, None;
    ["finance.currency"] [] |r, o| o.push_str(pick(r, &["Euro", "Swiss Franc", "US Dollar", "Yen"])), None;
    ["finance.currencyNumericCode"] [] |r, o| o.push_str(pick(r, &["392", "756", "840", "978"])), None;
    ["finance.bitcoinAddress"] [] |r, o| o.push_str(pick(r, &["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"])), None;
    ["finance.litecoinAddress"] [] |r, o| o.push_str(pick(r, &["LQSsVYZymuwxnXAqPcJwmLbPCPXu6tkbDJ"])), None;
    ["finance.ethereumAddress"] [] |r, o| { o.push_str("0x"); hex(r, o, 16); hex(r, o, 16); hex(r, o, 8); }, None;
    ["finance.transactionDescription", "food.description", "git.commitMessage", "git.commitEntry", "word.sample"] [] sentence, None;
    ["food.dish"] [] |r, o| o.push_str(pick(r, &["Goulash", "Paella", "Ramen"])), None;
    ["food.ethnicCategory"] [] |r, o| o.push_str(pick(r, &["Ethiopian", "Italian", "Sindhi"])), None;
    ["food.fruit"] [] |r, o| o.push_str(pick(r, &["apple", "fig", "mango"])), None;
    ["food.ingredient"] [] |r, o| o.push_str(pick(r, &["basil", "cornichons", "rice"])), None;
    ["food.meat"] [] |r, o| o.push_str(pick(r, &["beef", "chicken", "lamb"])), None;
    ["food.spice"] [] |r, o| o.push_str(pick(r, &["cumin", "paprika", "saffron"])), None;
    ["food.vegetable"] [] |r, o| o.push_str(pick(r, &["carrot", "leek", "spinach"])), None;
    ["git.commitDate"] [] |r, o| of_format("date-time", r, o), None;
    ["git.shortSha"] [] |r, o| hex(r, o, 7), None;
    ["image.dataUri"] [] |_, o| o.push_str("data:image/gif;base64,R0lGODlhAQABAAAAACw="), None;
    ["image.avatarGitHub", "image.avatarLegacy", "image.personPortrait", "image.urlPlaceholder"] [] |r, o| { o.push_str("https://cdn.example.com/images/"); hex(r, o, 12); o.push_str(".png"); }, None;
    ["internet.domainSuffix"] [] |r, o| o.push_str(pick(r, &["com", "example", "net", "org"])), None;
    ["internet.emoji"] [] |r, o| o.push_str(pick(r, &["😀", "🚲", "🌍", "🎉"])), None;
    ["internet.httpStatusCode"] [] |r, o| o.push_str(pick(r, &["200", "201", "404", "500"])), range(200, 599, 0);
    ["internet.jwtAlgorithm"] [] |r, o| o.push_str(pick(r, &["ES256", "HS256", "RS256"])), None;
    ["internet.jwt"] [] |r, o| of_format("jwt", r, o), None;
    ["name.middleName", "person.middleName"] [] |r, o| o.push_str(pick(r, FIRST_NAMES)), None;
    ["name.suffix", "person.suffix"] [] |r, o| o.push_str(pick(r, &["II", "III", "Jr.", "Sr."])), None;
    ["name.jobArea", "person.jobArea"] [] |r, o| o.push_str(pick(r, &["Accounts", "Data", "Operations", "Research"])), None;
    ["name.jobType", "person.jobType"] [] |r, o| o.push_str(pick(r, JOBS)), None;
    ["person.sexType"] [] |r, o| o.push_str(pick(r, &["female", "male"])), None;
    ["person.zodiacSign"] [] |r, o| o.push_str(pick(r, &["Aries", "Leo", "Libra", "Taurus"])), None;
    ["science.chemicalElement"] [] |r, o| o.push_str(pick(r, &["Carbon", "Gold", "Helium", "Oxygen"])), None;
    ["system.networkInterface"] [] |r, o| o.push_str(pick(r, &["eno3", "enp0s3", "wlo1"])), None;
    ["system.cron"] [] |r, o| o.push_str(pick(r, &["*/5 * * * *", "0 0 1 * *", "30 6 * * 1"])), None;
    ["system.fileType", "system.commonFileType"] [] |r, o| o.push_str(pick(r, &["audio", "image", "text", "video"])), None;
    ["vehicle.fuel"] [] |r, o| o.push_str(pick(r, &["Diesel", "Electric", "Gasoline", "Hybrid"])), None;
    ["vehicle.vin"] [] |r, o| o.push_str(pick(r, &["1HGCM82633A004352", "1M8GDM9AXKP042788"])), None;
    ["vehicle.vrm"] [] |r, o| o.push_str(pick(r, &["AB12CDE", "OQ61BSG"])), None;
    ["vehicle.bicycle"] [] |r, o| o.push_str(pick(r, &["City Bicycle", "Hybrid Bicycle", "Mountain Bicycle"])), None;
    ["vehicle.manufacturer"] [] |r, o| o.push_str(pick(r, &["BMW", "Fiat", "Toyota", "Volvo"])), None;
    ["vehicle.model"] [] |r, o| o.push_str(pick(r, &["Corolla", "Golf", "Model 3", "Panda"])), None;
    ["vehicle.type"] [] |r, o| o.push_str(pick(r, &["Coupe", "Minivan", "SUV", "Wagon"])), None;
    ["vehicle.color"] [] |r, o| o.push_str(pick(r, &["black", "blue", "red", "white"])), None;
    ["word.adverb"] [] |r, o| o.push_str(pick(r, &["gently", "often", "quickly", "soon"])), None;
    ["word.conjunction"] [] |r, o| o.push_str(pick(r, &["and", "because", "unless", "whereas"])), None;
    ["word.interjection"] [] |r, o| o.push_str(pick(r, &["hurray", "oh", "wow"])), None;
    ["word.preposition"] [] |r, o| o.push_str(pick(r, &["above", "below", "near", "under"])), None;
};

fn product(rng: &mut dyn RngCore, out: &mut String) {
    let start = out.len();
    out.push_str(pick(rng, ADJECTIVES));
    out.push(' ');
    out.push_str(pick(rng, THINGS));
    if let Some(first) = out.get_mut(start..=start) {
        first.make_ascii_uppercase();
    }
}

const FIRST_NAMES: &[&str] = &[
    "Aisha", "Anna", "Ben", "Carla", "Chen", "Dario", "Elena", "Emeka", "Felix", "Grace", "Hugo",
    "Ines", "Jonas", "Karim", "Lucia", "Maria", "Mei", "Noah", "Olga", "Pablo", "Priya", "Quinn",
    "Rosa", "Samir", "Tessa", "Umar", "Vera", "Wen", "Yuki", "Zoe",
];
const LAST_NAMES: &[&str] = &[
    "Abe", "Adler", "Bauer", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Haddad", "Ito",
    "Jansen", "Keller", "Lindgren", "Moreau", "Novak", "Okafor", "Patel", "Rossi", "Santos",
    "Tanaka", "Ueda", "Varga", "Weber", "Young",
];
const CITIES: &[&str] = &[
    "Accra", "Berlin", "Bogota", "Dublin", "Hanoi", "Kyoto", "Lagos", "Lisbon", "Lyon", "Montreal",
    "Nairobi", "Oslo", "Porto", "Riga", "Seattle", "Tallinn", "Toronto", "Utrecht", "Vienna",
    "Warsaw",
];
const REGIONS: &[&str] =
    &["Alentejo", "Bavaria", "Brittany", "Flanders", "Ontario", "Oregon", "Tuscany", "Uppsala"];
const COUNTRIES: &[&(&str, &str)] = &[
    &("Austria", "AT"),
    &("Brazil", "BR"),
    &("Canada", "CA"),
    &("France", "FR"),
    &("Germany", "DE"),
    &("Ghana", "GH"),
    &("India", "IN"),
    &("Japan", "JP"),
    &("Kenya", "KE"),
    &("Norway", "NO"),
    &("Portugal", "PT"),
    &("Spain", "ES"),
];
const JOBS: &[&str] = &[
    "Architect",
    "Baker",
    "Data analyst",
    "Engineer",
    "Gardener",
    "Nurse",
    "Teacher",
    "Translator",
];
const CATEGORIES: &[&str] =
    &["Books", "Electronics", "Garden", "Health", "Home", "Music", "Sports", "Toys"];
const ADJECTIVES: &[&str] =
    &["amber", "bright", "calm", "clever", "gentle", "green", "handy", "light", "quiet", "swift"];
const THINGS: &[&str] =
    &["bench", "bottle", "chair", "desk", "kettle", "lamp", "notebook", "river", "shelf", "wheel"];
pub(super) const LATIN: &[&str] = &[
    "amet", "animi", "aut", "beatae", "culpa", "dicta", "dolor", "ea", "eius", "enim", "error",
    "et", "facere", "fuga", "harum", "id", "ipsum", "iste", "labore", "lorem", "magni", "minus",
    "natus", "nemo", "nihil", "odio", "omnis", "porro", "quae", "quasi", "ratione", "rerum", "sed",
    "sint", "sunt", "tempora", "ullam", "velit", "vero", "vitae",
];
