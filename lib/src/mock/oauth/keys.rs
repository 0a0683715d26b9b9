//! The key that signs identity tokens: RS256, which every client of OpenID Connect knows (OpenID
//! Connect Core, section 15.1).

use std::sync::{Arc, OnceLock};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::PrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A key that is made once, when it is first needed or before.
#[derive(Debug, Default)]
pub(super) struct Keys(Arc<OnceLock<Option<Key>>>);

#[derive(Debug)]
struct Key {
    pair: RsaKeyPair,
    /// The public key as a JSON Web Key (RFC 7517).
    public: Value,
    id: String,
}

impl Keys {
    /// Makes the key in the background.
    pub(super) fn prepare(&self) {
        let key = Arc::clone(&self.0);
        // If the thread cannot be started, the first request makes the key.
        let _ = thread::Builder::new().name("key".to_owned()).spawn(move || {
            key.get_or_init(make);
        });
    }

    fn key(&self) -> Option<&Key> {
        self.0.get_or_init(make).as_ref()
    }

    /// The key set (RFC 7517, section 5).
    pub(super) fn key_set(&self) -> Value {
        json!({"keys": self.key().map(|key| &key.public).into_iter().collect::<Vec<_>>()})
    }

    /// A signed JSON Web Token (RFC 7515, RFC 7519); `None` if this machine cannot make keys.
    pub(super) fn sign(&self, claims: &Value) -> Option<String> {
        let key = self.key()?;
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": key.id});
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", encoded(&header), encoded(claims));
        let mut signature = vec![0; key.pair.public().modulus_len()];
        let random = SystemRandom::new();
        key.pair.sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature).ok()?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Some(token)
    }
}

/// The size of the key. Clients refuse smaller ones (RFC 7518, section 3.3).
const BITS: usize = 2048;

/// A new key. The crate `rsa` generates it, which `ring` cannot; `ring` signs in
/// constant time.
fn make() -> Option<Key> {
    let private = PrivateKey::new(&mut getrandom::SysRng, BITS).ok()?;
    let pair = RsaKeyPair::from_pkcs8(private.to_pkcs8_der().ok()?.as_bytes()).ok()?;
    let (n, e) = (private.n_bytes(), private.e_bytes());
    let id = URL_SAFE_NO_PAD.encode(&Sha256::digest(&n)[..12]);
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let public = json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": encoded(&n), "e": encoded(&e),
    });
    Some(Key { pair, public, id })
}
