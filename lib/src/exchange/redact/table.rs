//! The table of secrets: names that mark them, and the published formats of providers' keys.
//!
//! A new row takes effect in the recorder, the import, the builder and the mock's log. The fast
//! search of bodies ([`super::traces`]) takes its words from here too.

use Match::{Always, Either, Last, Only, OnlyQuery};

/// Where the words of a row must be in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// They are the last words, or are written together as the last word. The plural matches too.
    Last,
    /// The name consists of only this word.
    Only,
    /// The same, for query keys only.
    OnlyQuery,
    /// The concatenated words are the whole name.
    Always,
    /// They are the last words, written together only; no plural.
    Either,
}

/// A name that marks a secret.
pub(super) struct NameRow {
    /// One or two words in lower case. Bodies are searched for the word after the star, or for the
    /// last word.
    pub(super) words: &'static str,
    pub(super) place: Match,
    /// Integers under this name are secrets too.
    pub(super) integers: bool,
}

const fn row(words: &'static str, place: Match) -> NameRow {
    NameRow { words, place, integers: false }
}

/// A row whose integers are secrets too.
const fn digits(words: &'static str, place: Match) -> NameRow {
    NameRow { words, place, integers: true }
}

/// The names. Other secrets are found by their shape or by the user's own names.
pub(super) const NAMES: &[NameRow] = &[
    digits("password", Last),
    row("passwd", Last),
    row("pwd", Last),
    row("passphrase", Last),
    digits("passcode", Last),
    row("secret", Last),
    row("credential", Last),
    row("authorization", Last),
    row("token", Last),
    row("jwt", Last),
    row("bearer", Last),
    digits("otp", Last),
    digits("cvv", Last),
    digits("cvc", Last),
    digits("ssn", Last),
    row("csrf", Last),
    row("xsrf", Last),
    row("signature", Last),
    row("sig", Last),
    // Two words.
    row("api key", Last),
    row("access key", Last),
    row("private key", Last),
    row("secret key", Last),
    row("subscription key", Last),
    row("functions key", Last),
    row("signing key", Last),
    row("account key", Last),
    row("auth key", Last),
    row("master key", Last),
    row("encryption key", Last),
    row("*session id", Last),
    row("session token", Last),
    row("client secret", Last),
    // Registration forms ask for the secret twice.
    digits("*password confirmation", Last),
    digits("*password confirm", Last),
    digits("*password repeat", Last),
    digits("*password again", Last),
    row("*password hash", Last),
    // The whole name.
    row("pass", Only),
    row("auth", Only),
    row("sid", Only),
    digits("pin", Only),
    row("session", Only),
    row("key", OnlyQuery),
    row("code verifier", Always),
    row("oauth verifier", Always),
    row("*saml request", Always),
    row("*saml response", Always),
    row("dpop", Always),
    row("x auth", Always),
    row("cookie", Always),
    row("set *cookie", Always),
    // Concatenated in lower case; those of two words above need no row here.
    row("accesstoken", Either),
    row("authtoken", Either),
    row("authenticitytoken", Either),
    row("bearertoken", Either),
    row("csrftoken", Either),
    row("csrfmiddlewaretoken", Either),
    row("idtoken", Either),
    row("logintoken", Either),
    row("refreshtoken", Either),
    row("requestverificationtoken", Either),
    row("securitytoken", Either),
    row("usertoken", Either),
    row("xsrftoken", Either),
    row("apisecret", Either),
    row("appsecret", Either),
    row("consumersecret", Either),
    row("secretaccesskey", Either),
    row("jsessionid", Either),
    row("phpsessid", Either),
    row("sessid", Either),
    row("aspsessionid", Either),
    row("sessionkey", Either),
    digits("confirmpassword", Either),
    digits("currentpassword", Either),
    row("dbpassword", Either),
    digits("newpassword", Either),
    digits("oldpassword", Either),
    digits("userpassword", Either),
    row("userpass", Either),
    row("userpwd", Either),
];

/// Fields of OAuth 2.0 (RFC 6749, 7521, 8628) that are secrets only in its messages.
pub(super) const OAUTH_SECRETS: &[&str] =
    &["code", "state", "assertion", "client_assertion", "device_code"];

/// Fields that show that a query or a form is a message of OAuth 2.0.
pub(super) const OAUTH_MARKS: &[&str] =
    &["client_id", "grant_type", "redirect_uri", "response_type"];

/// First words of names for a fact about a secret: `max_tokens`, `has_password`, `expires_token`.
pub(super) const FACTS: &[&str] =
    &["max", "min", "has", "is", "num", "expires", "expire", "expiry"];

/// Words before `token` that make it a page marker, or a symbol in a language model's vocabulary.
pub(super) const MARKS: &[&str] = &[
    "page",
    "next",
    "prev",
    "previous",
    "continuation",
    "sync",
    "cursor",
    "paging",
    "pagination",
    "delta",
    "skip",
    "resume",
    "resumption",
    "starting",
    "eos",
    "bos",
    "pad",
    "unk",
    "sep",
    "cls",
    "mask",
    "stop",
];

/// The characters of the variable part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, `-`, `_`.
    Base64Url,
    /// Letters, digits, `-`, `_`, `.`.
    Dotted,
    /// Upper-case letters and digits.
    Upper,
    /// Hexadecimal digits in lower case.
    Hex,
}

/// The published format of a provider's keys.
pub(super) struct KeyRow {
    pub(super) provider: &'static str,
    pub(super) prefix: &'static str,
    pub(super) alphabet: Alphabet,
    /// Minimum length after the prefix.
    pub(super) least: usize,
    /// Maximum length after the prefix; a longer run is not a key.
    pub(super) most: usize,
}

const fn key(
    provider: &'static str,
    prefix: &'static str,
    alphabet: Alphabet,
    least: usize,
    most: usize,
) -> KeyRow {
    KeyRow { provider, prefix, alphabet, least, most }
}

const ANY: usize = 4096;

/// Keys of providers. Each source describes the prefix; the lengths are the shortest and longest in
/// use. After its prefix, a key has a digit, or letters of both cases.
pub(super) const KEYS: &[KeyRow] = {
    use Alphabet::{Alphanumeric, Base64Url, Dotted, Hex, Upper};
    &[
        // docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
        key("github", "ghp_", Alphanumeric, 30, 251),
        key("github", "gho_", Alphanumeric, 30, 251),
        key("github", "ghu_", Alphanumeric, 30, 251),
        key("github", "ghs_", Alphanumeric, 30, 251),
        key("github", "ghr_", Alphanumeric, 30, 251),
        key("github", "github_pat_", Base64Url, 22, 244),
        // docs.gitlab.com/security/tokens/#token-prefixes
        key("gitlab", "glpat-", Dotted, 20, 300),
        key("gitlab", "gloas-", Base64Url, 20, 300),
        key("gitlab", "gldt-", Base64Url, 20, 300),
        key("gitlab", "glrt-", Dotted, 20, 300),
        key("gitlab", "glcbt-", Base64Url, 20, 300),
        key("gitlab", "glptt-", Base64Url, 20, 300),
        key("gitlab", "glft-", Base64Url, 20, 300),
        key("gitlab", "glimt-", Base64Url, 20, 300),
        key("gitlab", "glagent-", Base64Url, 20, 300),
        key("gitlab", "glsoat-", Base64Url, 20, 300),
        key("gitlab", "glffct-", Base64Url, 20, 300),
        // docs.stripe.com/keys
        key("stripe", "sk_live_", Alphanumeric, 16, 255),
        key("stripe", "sk_test_", Alphanumeric, 16, 255),
        key("stripe", "rk_live_", Alphanumeric, 16, 255),
        key("stripe", "rk_test_", Alphanumeric, 16, 255),
        // docs.stripe.com/webhooks#verify-events, and www.standardwebhooks.com
        key("stripe", "whsec_", Base64Url, 24, 255),
        // api.slack.com/concepts/token-types
        key("slack", "xoxb-", Base64Url, 16, 255),
        key("slack", "xoxp-", Base64Url, 16, 255),
        key("slack", "xoxa-", Base64Url, 16, 255),
        key("slack", "xoxr-", Base64Url, 16, 255),
        key("slack", "xoxs-", Base64Url, 16, 255),
        key("slack", "xoxc-", Base64Url, 16, 255),
        key("slack", "xoxd-", Base64Url, 16, 400),
        key("slack", "xoxe-", Base64Url, 16, 255),
        key("slack", "xoxe.", Base64Url, 16, 255),
        key("slack", "xapp-", Base64Url, 16, 255),
        // docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
        key("aws", "AKIA", Upper, 16, 16),
        key("aws", "ASIA", Upper, 16, 16),
        // cloud.google.com/docs/authentication/api-keys, and
        // developers.google.com/identity/protocols/oauth2
        key("google", "AIza", Base64Url, 35, 35),
        key("google", "ya29.", Base64Url, 20, ANY),
        key("google", "GOCSPX-", Base64Url, 28, 28),
        // platform.openai.com/docs/api-reference/authentication, and docs.anthropic.com/en/api
        key("openai or anthropic", "sk-", Base64Url, 20, 400),
        // docs.npmjs.com/about-access-tokens
        key("npm", "npm_", Alphanumeric, 36, 36),
        // pypi.org/help/#apitoken: a macaroon, whose first field is pypi.org
        key("pypi", "pypi-", Base64Url, 50, ANY),
        // docs.sendgrid.com/ui/account-and-settings/api-keys
        key("sendgrid", "SG.", Dotted, 60, 100),
        // www.twilio.com/docs/iam/api-keys
        key("twilio", "SK", Hex, 32, 32),
        // shopify.dev/docs/apps/build/authentication-authorization
        key("shopify", "shpat_", Alphanumeric, 32, 64),
        key("shopify", "shpca_", Alphanumeric, 32, 64),
        key("shopify", "shppa_", Alphanumeric, 32, 64),
        key("shopify", "shpss_", Alphanumeric, 32, 64),
        // docs.digitalocean.com/reference/api/create-personal-access-token
        key("digitalocean", "dop_v1_", Hex, 64, 64),
        key("digitalocean", "doo_v1_", Hex, 64, 64),
        key("digitalocean", "dor_v1_", Hex, 64, 64),
        // huggingface.co/docs/hub/security-tokens
        key("huggingface", "hf_", Alphanumeric, 30, 60),
        // developer.squareup.com/docs/build-basics/access-tokens
        key("square", "sq0atp-", Base64Url, 22, 64),
        key("square", "sq0csp-", Base64Url, 43, 64),
        key("square", "EAAA", Base64Url, 56, 80),
        // documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt
        key("mailgun", "key-", Hex, 32, 32),
        // core.telegram.org/bots/api#authorizing-your-bot uses digits and a colon, without a
        // prefix. developer.hashicorp.com/vault/docs/concepts/tokens
        key("vault", "hvs.", Base64Url, 24, 300),
        // linear.app/developers/graphql
        key("linear", "lin_api_", Alphanumeric, 32, 64),
        // developers.notion.com/reference/authentication
        key("notion", "ntn_", Alphanumeric, 40, 60),
        // learning.postman.com/docs/developer/postman-api/authentication
        key("postman", "PMAK-", Base64Url, 40, 80),
        // docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys
        key("newrelic", "NRAK-", Upper, 27, 27),
        // grafana.com/docs/grafana/latest/administration/service-accounts
        key("grafana", "glsa_", Base64Url, 32, 60),
        // docs.databricks.com/dev-tools/auth/pat
        key("databricks", "dapi", Hex, 32, 34),
        // hub.docker.com personal access tokens:
        // docs.docker.com/security/for-developers/access-tokens
        key("docker", "dckr_pat_", Base64Url, 27, 40),
    ]
};
