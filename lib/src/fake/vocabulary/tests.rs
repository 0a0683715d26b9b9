//! Compares the vocabulary with Faker.js.

use rand::SeedableRng as _;

use super::*;

/// The methods of Faker.js 9, by module, that return one text, number, date or object without
/// arguments.
const FAKER: &[(&str, &str)] = &[
    ("datatype", "boolean"),
    ("date", "month weekday timeZone anytime past future between recent soon birthdate"),
    (
        "location",
        "zipCode city buildingNumber street streetAddress secondaryAddress county country continent countryCode state direction cardinalDirection ordinalDirection timeZone language latitude longitude",
    ),
    ("number", "int float binary octal hex bigInt romanNumeral"),
    (
        "string",
        "fromCharacters alpha alphanumeric binary octal hexadecimal numeric sample uuid ulid nanoid symbol",
    ),
    ("airline", "airport airline airplane recordLocator seat aircraftType flightNumber"),
    (
        "animal",
        "dog cat snake bear lion cetacean horse bird cow fish crocodilia insect rabbit rodent type petName",
    ),
    ("book", "author format genre publisher series title"),
    ("color", "human space cssSupportedFunction cssSupportedSpace rgb"),
    (
        "commerce",
        "department productName price productAdjective productMaterial product productDescription isbn",
    ),
    (
        "company",
        "name catchPhrase buzzPhrase catchPhraseAdjective catchPhraseDescriptor catchPhraseNoun buzzAdjective buzzVerb buzzNoun",
    ),
    ("database", "column type collation engine mongodbObjectId"),
    (
        "finance",
        "accountNumber accountName routingNumber maskedNumber amount transactionType currency currencyCode currencyName currencySymbol currencyNumericCode bitcoinAddress litecoinAddress creditCardNumber creditCardCVV creditCardIssuer pin ethereumAddress iban bic transactionDescription",
    ),
    ("food", "adjective description dish ethnicCategory fruit ingredient meat spice vegetable"),
    ("git", "branch commitEntry commitMessage commitDate commitSha"),
    ("hacker", "abbreviation adjective noun verb ingverb phrase"),
    (
        "image",
        "avatar avatarGitHub personPortrait avatarLegacy url urlLoremFlickr urlPicsumPhotos urlPlaceholder dataUri",
    ),
    (
        "internet",
        "email exampleEmail userName username displayName protocol httpMethod httpStatusCode url domainName domainSuffix domainWord ip ipv4 ipv6 port userAgent color mac password emoji jwtAlgorithm jwt",
    ),
    ("lorem", "word words sentence slug sentences paragraph paragraphs text lines"),
    ("music", "album artist genre songName"),
    (
        "person",
        "firstName lastName middleName fullName gender sex sexType bio prefix suffix jobTitle jobDescriptor jobArea jobType zodiacSign",
    ),
    ("phone", "number imei"),
    ("science", "chemicalElement unit"),
    (
        "system",
        "fileName commonFileName mimeType commonFileType commonFileExt fileType fileExt directoryPath filePath semver networkInterface cron",
    ),
    ("vehicle", "vehicle manufacturer model type fuel vin color vrm bicycle"),
    ("word", "adjective adverb conjunction interjection noun preposition verb sample words"),
];

#[test]
fn every_name_of_faker_is_known() {
    let names = FAKER.iter().flat_map(|(module, methods)| {
        methods.split(' ').map(move |method| format!("{module}.{method}"))
    });
    let known = |name: &String| VOCABULARY.iter().any(|word| word.faker.contains(&name.as_str()));
    let unknown: Vec<String> = names.filter(|name| !known(name)).collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn every_entry_makes_a_text() {
    let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(1);
    for word in VOCABULARY {
        let mut text = String::new();
        (word.text)(&mut rng, &mut text);
        assert!(!text.is_empty(), "{:?} {:?}", word.faker, word.properties);
    }
}
