//! Certificate fields that rustls does not expose: the validity, the names, and whether it is
//! self-signed (RFC 5280 section 4.1).

use time::{Date, Month, Time};

/// DER tags (X.690).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// The parsed fields.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Certificate {
    /// True if issuer and subject are equal.
    pub(super) self_issued: bool,
    /// First and last second of validity, in seconds since 1970.
    pub(super) validity: (i64, i64),
    pub(super) common_names: Vec<String>,
    /// Whether the certificate has the extension for alternative names, which overrides the common
    /// name.
    pub(super) has_alt_names: bool,
}

impl Certificate {
    /// Parses a certificate in DER; `None` if it is malformed.
    pub(super) fn parse(der: &[u8]) -> Option<Certificate> {
        let mut certificate = Der(Der(der).expect(SEQUENCE)?);
        let mut fields = Der(certificate.expect(SEQUENCE)?);
        if fields.peek() == Some(VERSION) {
            fields.next()?;
        }
        // Serial number and algorithm.
        fields.next()?;
        fields.next()?;
        let issuer = fields.expect(SEQUENCE)?;
        let mut validity = Der(fields.expect(SEQUENCE)?);
        let validity = (seconds(validity.next()?)?, seconds(validity.next()?)?);
        let subject = fields.expect(SEQUENCE)?;
        // The public key.
        fields.next()?;
        let mut has_alt_names = false;
        while let Some((tag, content)) = fields.next() {
            if tag == EXTENSIONS {
                has_alt_names = has_extension(content, SUBJECT_ALT_NAME);
            }
        }
        let (self_issued, common_names) = (issuer == subject, names(subject));
        Some(Certificate { self_issued, validity, common_names, has_alt_names })
    }
}

fn has_extension(content: &[u8], required: &[u8]) -> bool {
    let Some(list) = Der(content).expect(SEQUENCE) else { return false };
    let mut list = Der(list);
    while let Some((_, extension)) = list.next() {
        if Der(extension).expect(OID) == Some(required) {
            return true;
        }
    }
    false
}

/// The common names in a list of sets of attributes.
fn names(subject: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut sets = Der(subject);
    while let Some(set) = sets.expect(SET) {
        let mut attributes = Der(set);
        while let Some(attribute) = attributes.expect(SEQUENCE) {
            let mut attribute = Der(attribute);
            if attribute.expect(OID) == Some(COMMON_NAME)
                && let Some((_, value)) = attribute.next()
                && let Ok(name) = std::str::from_utf8(value)
            {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// `YYMMDDHHMMSSZ`, or the same with a year of four digits.
fn seconds((tag, content): (u8, &[u8])) -> Option<i64> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: i32 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |at: usize| -> Option<u8> { rest.get(at..at + 2)?.parse().ok() };
    let date = Date::from_calendar_date(year, Month::try_from(part(0)?).ok()?, part(2)?).ok()?;
    let time = Time::from_hms(part(4)?, part(6)?, part(8)?).ok()?;
    Some(date.with_time(time).assume_utc().unix_timestamp())
}

/// A sequence of DER elements.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element: its tag and its content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if bytes.is_empty() || bytes.len() > 4 {
                return None;
            }
            (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next element if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.peek() == Some(tag) { self.next().map(|(_, content)| content) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    #[test]
    fn certificates_show_their_fields() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "a.test");
        params.not_before = rcgen::date_time_ymd(2025, 2, 3);
        params.not_after = rcgen::date_time_ymd(2055, 2, 3);
        let der = params.self_signed(&key).unwrap();
        let found = Certificate::parse(der.der()).unwrap();
        assert!(found.self_issued && !found.has_alt_names);
        assert!(found.common_names.contains(&"a.test".to_owned()));
        assert_eq!(found.validity, (1_738_540_800, 2_685_225_600));
        let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        let der = params.self_signed(&key).unwrap();
        assert!(Certificate::parse(der.der()).unwrap().has_alt_names);
        for end in 0..der.der().len() {
            assert_eq!(Certificate::parse(&der.der()[..end]), None);
        }
    }
}
