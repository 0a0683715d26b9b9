//! Languages, countries and currencies: the codes of ISO 639-1, ISO 3166-1 (alpha-2) and ISO 4217.
//!
//! Path segments and keys that consist of them are values, although many look like words.

/// ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de \
    dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu \
    ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng \
    nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta \
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// ISO 3166-1 alpha-2, and the reserved `EU` and `UK`.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET EU FI FJ FK FM \
    FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV \
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD \
    SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UK UM US UY UZ VA \
    VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// ISO 4217, with some recent former ones, and the most traded crypto currencies.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTC BTN BWP BYN \
    BYR BZD CAD CDF CHF CLF CLP CNH CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK EGP ERN ETB ETH EUR FJD FKP GBP GEL GGP GHS \
    GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK \
    LBP LKR LRD LSL LTC LTL LVL LYD MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB \
    PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT \
    TND TOP TRY TTD TWD TZS UAH UGX USD USDC USDT UYU UZS VEF VES VND VUV WST XAF XAG XAU XCD XDR XOF XPF XRP YER ZAR ZMK ZMW ZWL";

/// The most frequent languages of translations; some of the others are words (`id`, `to`, `is`).
const USUAL: &str = "en de fr es it pt nl ja zh ru ko pl sv tr ar";

fn is_in(list: &str, code: &str) -> bool {
    list.split(' ').any(|known| known == code)
}

/// A language code of two letters, in lower case.
pub(crate) fn is_language(text: &str) -> bool {
    text.len() == 2 && is_in(LANGUAGES, text)
}

/// A language that is not also a common word in APIs.
pub(crate) fn is_usual_language(text: &str) -> bool {
    is_in(USUAL, text)
}

/// A country code of two letters, in one case.
pub(crate) fn is_country(text: &str) -> bool {
    text.len() == 2
        && (is_in(COUNTRIES, text)
            || text.bytes().all(|b| b.is_ascii_lowercase())
                && is_in(COUNTRIES, &text.to_ascii_uppercase()))
}

/// A currency code, in one case.
pub(crate) fn is_currency(text: &str) -> bool {
    (3..=4).contains(&text.len())
        && (is_in(CURRENCIES, text)
            || text.bytes().all(|b| b.is_ascii_lowercase())
                && is_in(CURRENCIES, &text.to_ascii_uppercase()))
}

/// A language and a region, or a script (BCP 47): `en-US`, `en-us`, `pt_BR`, `zh-Hans`,
/// `zh-Hant-TW`, `es-419`.
pub(crate) fn is_regional(text: &str) -> bool {
    let Some((language, rest)) = text.split_once(['-', '_']) else { return false };
    let mut parts = rest.split(['-', '_']).peekable();
    let has_script = parts.peek().is_some_and(|script| {
        script.len() == 4
            && matches!(
                script.to_ascii_lowercase().as_str(),
                "hans" | "hant" | "latn" | "cyrl" | "arab"
            )
    });
    if has_script {
        parts.next();
    }
    let region = parts.next();
    // In lower case both may be words: `to-do`.
    let is_region = |region: &str| {
        region == "419"
            || is_country(region)
                && (region.bytes().all(|b| b.is_ascii_uppercase()) || is_usual_language(language))
    };
    is_language(&language.to_ascii_lowercase())
        && region.map_or(has_script, is_region)
        && parts.next().is_none()
}

/// A language, with or without a region.
pub(crate) fn is_locale(text: &str) -> bool {
    is_language(text) || is_regional(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales() {
        for (text, locale) in [
            ("en", true),
            ("en-US", true),
            ("en-us", true),
            ("pt_BR", true),
            ("zh-Hant-TW", true),
            ("zh-hans", true),
            ("es-419", true),
            ("me", false),
            ("v1", false),
            ("en-", false),
            ("en-USA", false),
            ("to-do", false),
            ("xx-US", false),
        ] {
            assert_eq!(is_locale(text), locale, "{text}");
        }
        assert!(is_country("US") && is_country("us") && !is_country("Us") && !is_country("XX"));
        assert!(is_currency("EUR") && is_currency("usd") && !is_currency("DWQ"));
    }
}
