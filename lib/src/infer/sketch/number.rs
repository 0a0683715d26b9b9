//! The range of observed numbers.

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::Merge;
use crate::infer::Limits;

/// Minimum and maximum of the observed integers, and of the other numbers.
///
/// Integers are kept exactly, as decimal text in a partial; other numbers in their shortest decimal
/// form, which reads back as the same `f64`. JSON has no NaN, and -0.0 is treated as 0.0, so
/// minimum and maximum are well defined.
///
/// Without observations, the maximum is below the minimum. Every place of every body has a range,
/// so it is kept small.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NumberRange {
    #[serde(skip_serializing_if = "is_infinite", with = "decimal")]
    float_max: f64,
    #[serde(skip_serializing_if = "is_infinite", with = "decimal")]
    float_min: f64,
    #[serde(skip_serializing_if = "is_least", with = "decimal")]
    int_max: i128,
    #[serde(skip_serializing_if = "is_greatest", with = "decimal")]
    int_min: i128,
}

impl Default for NumberRange {
    fn default() -> Self {
        NumberRange {
            float_max: f64::NEG_INFINITY,
            float_min: f64::INFINITY,
            int_max: i128::MIN,
            int_min: i128::MAX,
        }
    }
}

fn is_infinite(number: &f64) -> bool {
    number.is_infinite()
}

fn is_least(number: &i128) -> bool {
    *number == i128::MIN
}

fn is_greatest(number: &i128) -> bool {
    *number == i128::MAX
}

impl NumberRange {
    pub(crate) fn fold_int(&mut self, value: i128) {
        self.int_min = self.int_min.min(value);
        self.int_max = self.int_max.max(value);
    }

    pub(crate) fn fold_float(&mut self, value: f64) {
        let value = if value == 0.0 { 0.0 } else { value };
        self.float_min = self.float_min.min(value);
        self.float_max = self.float_max.max(value);
    }

    /// Minimum and maximum integer.
    pub(crate) fn ints(&self) -> Option<(i128, i128)> {
        (self.int_min <= self.int_max).then_some((self.int_min, self.int_max))
    }
}

impl NumberRange {
    /// Minimum and maximum of all numbers; `None` if they are not known exactly.
    pub(crate) fn bounds(&self) -> Option<(Number, Number)> {
        let int = |value: i128| {
            let small = i64::try_from(value).ok().map(Number::from);
            small.or_else(|| u64::try_from(value).ok().map(Number::from))
        };
        let both = |(least, greatest): (Option<Number>, Option<Number>)| least.zip(greatest);
        let floats = (self.float_min <= self.float_max).then_some((self.float_min, self.float_max));
        match (self.ints(), floats) {
            (Some((least, greatest)), None) => both((int(least), int(greatest))),
            (None, Some((least, greatest))) => {
                both((Number::from_f64(least), Number::from_f64(greatest)))
            }
            (Some((least, greatest)), Some((float_min, float_max))) => {
                // Integers of up to 53 bits are exact as floats.
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

impl Merge for NumberRange {
    fn coarsen(&mut self, _: &Limits) {}

    fn merge(&mut self, other: Self, _: &Limits) {
        self.int_min = self.int_min.min(other.int_min);
        self.int_max = self.int_max.max(other.int_max);
        self.float_min = self.float_min.min(other.float_min);
        self.float_max = self.float_max.max(other.float_max);
    }
}

/// Numbers as text, because integers in a partial have at most 64 bits and fractions are not
/// allowed.
mod decimal {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom(format!("{text:?} is not a number")))
    }
}
