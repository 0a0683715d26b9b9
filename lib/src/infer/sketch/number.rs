//! The range of the numbers seen.

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::Merge;
use crate::infer::Limits;

/// Least and greatest of the integers, and of the other numbers, seen.
///
/// Integers are kept exactly, as decimal text in a partial; other numbers by their shortest decimal form, which reads
/// back as the same `f64`. JSON has no NaN, and -0.0 is taken as 0.0, so least and greatest are well defined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Range {
    #[serde(default, skip_serializing_if = "Option::is_none", with = "decimal")]
    float_max: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "decimal")]
    float_min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "decimal")]
    int_max: Option<i128>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "decimal")]
    int_min: Option<i128>,
}

impl Range {
    pub(crate) fn fold_int(&mut self, value: i128) {
        self.int_min = Some(self.int_min.map_or(value, |x| x.min(value)));
        self.int_max = Some(self.int_max.map_or(value, |x| x.max(value)));
    }

    pub(crate) fn fold_float(&mut self, value: f64) {
        let value = if value == 0.0 { 0.0 } else { value };
        self.float_min = Some(self.float_min.map_or(value, |x| x.min(value)));
        self.float_max = Some(self.float_max.map_or(value, |x| x.max(value)));
    }

    /// Least and greatest integer.
    pub(crate) fn ints(&self) -> Option<(i128, i128)> {
        self.int_min.zip(self.int_max)
    }
}

impl Range {
    /// Least and greatest of all numbers; `None` where they cannot be told exactly.
    pub(crate) fn bounds(&self) -> Option<(Number, Number)> {
        let int = |value: i128| {
            let small = i64::try_from(value).ok().map(Number::from);
            small.or_else(|| u64::try_from(value).ok().map(Number::from))
        };
        let both = |(least, greatest): (Option<Number>, Option<Number>)| least.zip(greatest);
        match (self.ints(), self.float_min.zip(self.float_max)) {
            (Some((least, greatest)), None) => both((int(least), int(greatest))),
            (None, Some((least, greatest))) => {
                both((Number::from_f64(least), Number::from_f64(greatest)))
            }
            (Some((least, greatest)), Some((float_min, float_max))) => {
                // Integers of 53 bits are floats, too.
                let float = |value: i128| {
                    i32::try_from(value).ok().map(f64::from).or_else(|| {
                        (value.unsigned_abs() <= 1 << 53).then(|| value.to_string().parse().ok())?
                    })
                };
                let (least, greatest) =
                    (float(least)?.min(float_min), float(greatest)?.max(float_max));
                both((Number::from_f64(least), Number::from_f64(greatest)))
            }
            (None, None) => None,
        }
    }
}

impl Merge for Range {
    fn coarsen(&mut self, _: &Limits) {}

    fn merge(&mut self, other: Self, _: &Limits) {
        for value in [other.int_min, other.int_max].into_iter().flatten() {
            self.fold_int(value);
        }
        for value in [other.float_min, other.float_max].into_iter().flatten() {
            self.fold_float(value);
        }
    }
}

/// Numbers as text, since a partial holds integers of 64 bits at most and no fractions.
mod decimal {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map(Some)
            .map_err(|_| serde::de::Error::custom(format!("{text:?} is no number")))
    }
}
