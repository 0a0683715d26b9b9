//! Words that look like languages.

use super::profile::Profile;
use crate::infer::finalise::paths::before::decoded;
use crate::infer::finalise::paths::signature::Signature;
use crate::infer::finalise::words::locales::{is_regional, is_usual_language};
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::state::TrieNode;

/// True if words that look like languages are languages: several, one of which has a region, or
/// which behave the same.
pub(crate) fn are_locales(words: &[&(String, TrieNode)], vocabulary: &Vocabulary) -> bool {
    if words.len() < 2 {
        return false;
    }
    if words.iter().any(|(name, _)| is_regional(&decoded(name))) {
        return true;
    }
    let mut profile = Profile::default();
    let signatures: Vec<Signature> =
        words.iter().map(|(_, node)| Signature::of(node, vocabulary)).collect();
    signatures.iter().for_each(|signature| profile.add(signature, 1));
    let alike = signatures.iter().filter(|signature| {
        !signature.features.is_empty() && profile.share(&signature.features, 2) * 2 >= 100
    });
    let usual = words.iter().filter(|(name, _)| is_usual_language(name)).count();
    usual >= 1 && usual * 2 >= words.len() && alike.count() >= 2
}
