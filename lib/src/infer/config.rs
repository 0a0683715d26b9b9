//! The parameters of a state besides the exchanges: mode and limits.

use std::fmt::Write as _;
use std::str::FromStr;

use super::state::Class;

/// The kind of spec to build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Templated paths and inferred schemas.
    #[default]
    Gen,
    /// Literal paths, schemas of the recorded constants, and the recordings.
    Replay,
    /// The generated spec, and the recordings.
    Mixed,
}

/// A word that is not a mode.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a mode; write gen, replay or mixed")]
pub struct UnknownMode(String);

impl Mode {
    /// `gen`, `replay`, `mixed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Gen => "gen",
            Mode::Replay => "replay",
            Mode::Mixed => "mixed",
        }
    }

    /// True if exact recordings are part of the state.
    pub(crate) fn keeps_recordings(self) -> bool {
        self != Mode::Gen
    }

    /// True if the trie is part of the state.
    pub(crate) fn generalises(self) -> bool {
        self != Mode::Replay
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Mode::Gen, Mode::Replay, Mode::Mixed]
            .into_iter()
            .find(|mode| mode.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownMode(text.to_owned()))
    }
}

/// The configuration of a state. Only states with the same configuration can be merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateConfig {
    /// The kind of spec to build.
    pub mode: Mode,
    pub(crate) limits: Limits,
}

impl StateConfig {
    /// The default limits for a mode.
    pub fn new(mode: Mode) -> Self {
        StateConfig { mode, limits: Limits::default() }
    }

    /// The same without observed values: no text, no number, and no key that looks like a value.
    /// Words of paths and names of properties are kept, because nothing else distinguishes an API's
    /// own names from others.
    #[must_use]
    pub fn without_values(mut self) -> Self {
        self.limits.values = 0;
        self.limits.variants = 0;
        self.limits.value_keys = 0;
        self.limits.numbers = false;
        self
    }

    /// False if no observed value is kept.
    pub fn keeps_values(&self) -> bool {
        self.limits.numbers
    }

    /// Sixteen hex digits that differ if states would differ.
    pub(crate) fn hash(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(text, "{VERSION} {} {:?}", self.mode.as_str(), self.limits);
        for format in crate::format::FORMATS {
            let _ = write!(text, " {}{}", format.name, u8::from(format.inferred()));
        }
        format!("{:016x}", twox_hash::XxHash3_64::oneshot(text.as_bytes()))
    }
}

/// Incremented with every change of classes, header lists or folds, because states from before and
/// after must not be merged.
const VERSION: u32 = 10;

/// The caps, which bound the size of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Names below one path prefix.
    pub(crate) names: usize,
    /// Suffixes (`.json`, `:cancel`) of identifiers of one class below one prefix.
    pub(crate) suffixes: usize,
    /// Segments of a path.
    pub(crate) segments: usize,
    pub(crate) origins: usize,
    /// Property names of one object.
    pub(crate) keys: usize,
    /// Keys of one object that are values, for each class.
    pub(crate) value_keys: usize,
    /// Whether numbers are kept exactly, or only by the width that they need.
    pub(crate) numbers: bool,
    /// Distinct strings at one place.
    pub(crate) values: usize,
    /// Kinds of objects that are kept apart at one place, by their tags.
    pub(crate) variants: usize,
    /// Maximum length of a kept string in bytes.
    pub(crate) longest_value: usize,
    /// Maximum depth of JSON that is examined.
    pub(crate) depth: u32,
    /// Maximum size of a body that is examined, in bytes.
    pub(crate) body_bytes: usize,
    pub(crate) query: usize,
    pub(crate) headers: usize,
    /// Fields of a form.
    pub(crate) fields: usize,
    /// Media types of one message kind.
    pub(crate) media: usize,
    /// Sets of credentials.
    pub(crate) credentials: usize,
    /// Pairs of one query, form or header block that are examined.
    pub(crate) pairs: usize,
    /// Number of places beyond which the caps are lowered.
    pub(crate) places: u64,
    /// Binary logarithm of the number of registers that count the places.
    pub(crate) place_bits: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            names: 128,
            suffixes: 8,
            segments: 24,
            origins: 64,
            keys: 256,
            value_keys: 8,
            numbers: true,
            values: 32,
            variants: 16,
            longest_value: 64,
            depth: 24,
            body_bytes: 8 << 20,
            query: 128,
            headers: 64,
            fields: 128,
            media: 8,
            credentials: 16,
            pairs: 1024,
            places: 1 << 20,
            place_bits: 12,
        }
    }
}

impl Limits {
    /// The kept value of an integer. If numbers are not kept, one integer stands for all with the
    /// same number of bits. This is monotone, so minimum and maximum are preserved.
    pub(crate) fn int(&self, value: i128) -> i128 {
        let fits = |bits: u32| (-(1i128 << (bits - 1))..1i128 << (bits - 1)).contains(&value);
        if self.numbers {
            value
        } else if fits(32) {
            0
        } else if fits(64) {
            if value < 0 { i64::MIN.into() } else { i64::MAX.into() }
        } else if value < 0 {
            i128::MIN
        } else {
            i128::MAX
        }
    }

    /// The kept value of a number that is not an integer.
    pub(crate) fn float(&self, value: f64) -> f64 {
        if self.numbers { value } else { 0.0 }
    }

    /// How often the caps are halved for this many places: once for each doubling beyond the
    /// allowed number.
    pub(crate) fn level(&self, places: u64) -> u32 {
        let over = places.div_ceil(self.places.max(1)).max(1);
        // The lowest level with `over <= 2^level`.
        u64::BITS - (over - 1).leading_zeros()
    }

    /// These limits with the caps halved `level` times. The limits on what is examined stay the
    /// same.
    pub(crate) fn lowered(&self, level: u32) -> Limits {
        let lower = |cap: usize| cap.checked_shr(level).unwrap_or(0);
        Limits {
            names: lower(self.names),
            suffixes: lower(self.suffixes),
            origins: lower(self.origins),
            keys: lower(self.keys),
            value_keys: lower(self.value_keys),
            values: lower(self.values),
            variants: lower(self.variants),
            query: lower(self.query),
            headers: lower(self.headers),
            fields: lower(self.fields),
            media: lower(self.media),
            ..*self
        }
    }

    /// How many children of a class are kept apart.
    pub(crate) fn kids(&self, class: Class) -> usize {
        if class.is_id() && class != Class::Keyed { self.suffixes } else { self.names }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_doubling_halves_the_caps_once_more() {
        let limits = Limits { places: 100, ..Limits::default() };
        let levels = [0, 1, 100, 101, 200, 201, 400, 401, u64::MAX].map(|n| limits.level(n));
        assert_eq!(levels, [0, 0, 0, 1, 1, 2, 2, 3, 58]);
        assert_eq!(limits.lowered(1).names, limits.names / 2);
        assert_eq!((limits.lowered(64).keys, limits.lowered(64).depth), (0, limits.depth));
    }
}
