//! Compares JSON numbers by their mathematical value, however they are written.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// True for `2`, `2.0` and `2e0`.
pub fn is_integral(number: &Number) -> bool {
    match number.as_f64() {
        Some(value) if number.is_f64() => value.fract() == 0.0,
        _ => true,
    }
}

/// The integer value, if the number is written as one.
fn as_int(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// Compares exactly, even integers above 2^53 with floats.
pub fn compare(a: &Number, b: &Number) -> Ordering {
    let float = |number: &Number| number.as_f64().unwrap_or(0.0);
    match (as_int(a), as_int(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => int_with_float(a, float(b)),
        (None, Some(b)) => int_with_float(b, float(a)).reverse(),
        (None, None) => float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn int_with_float(int: i128, float: f64) -> Ordering {
    if float >= 1e30 {
        return Ordering::Less;
    }
    if float <= -1e30 {
        return Ordering::Greater;
    }
    let floor = float.floor();
    int.cmp(&(floor as i128)).then(if float > floor { Ordering::Less } else { Ordering::Equal })
}

/// True if a number is in the closed range between two integers.
pub(super) fn in_range(number: &Number, low: i128, high: i128) -> bool {
    match (as_int(number), number.as_f64()) {
        (Some(int), _) => (low..=high).contains(&int),
        // An integer beyond all integer types was rounded: -2^63 also stands for smaller numbers,
        // and 2^64 for larger ones.
        (None, Some(float)) if float.abs() >= 2_f64.powi(63) => {
            int_with_float(low, float).is_lt() && int_with_float(high, float).is_gt()
        }
        (None, Some(float)) => {
            int_with_float(low, float).is_le() && int_with_float(high, float).is_ge()
        }
        (None, None) => true,
    }
}

/// JSON equality: numbers by value, objects regardless of order.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => a == b,
    }
}

/// Appends text that is equal for equal values and different for different ones.
pub(super) fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => match (as_int(number), number.as_f64()) {
            (Some(int), _) => out.push_str(&int.to_string()),
            // Adding zero turns a negative zero into zero.
            (None, Some(float)) if float.fract() == 0.0 && float.abs() < 1e30 => {
                out.push_str(&format!("{:.0}", float + 0.0));
            }
            _ => out.push_str(&number.to_string()),
        },
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                canonical(&Value::String(key.clone()), out);
                out.push(':');
                canonical(&map[key.as_str()], out);
                out.push(',');
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// True if `value` is an integer times `step`, computed in decimal: 0.3 is a multiple of 0.1.
pub(super) fn is_multiple(value: &Number, step: &Number) -> bool {
    let (Some((a, a_exp)), Some((b, b_exp))) = (decimal(value), decimal(step)) else {
        return true;
    };
    if b == 0 {
        return true;
    }
    let exp = a_exp.min(b_exp);
    let scale = |mantissa: i128, from: i32| {
        let power = u32::try_from(from - exp).ok()?;
        mantissa.checked_mul(10_i128.checked_pow(power)?)
    };
    match (scale(a, a_exp), scale(b, b_exp)) {
        (Some(a), Some(b)) => a % b == 0,
        // The exponents are too far apart for 38 digits: a huge value is a multiple of any small
        // decimal step.
        _ => a_exp >= b_exp,
    }
}

/// Mantissa and exponent of the shortest decimal form.
pub(crate) fn decimal(number: &Number) -> Option<(i128, i32)> {
    let text = number.to_string();
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text.as_str(), 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let mantissa = format!("{whole}{fraction}").parse().ok()?;
    Some((mantissa, exponent - i32::try_from(fraction.len()).ok()?))
}

/// True for a number that is an integer.
pub(super) fn is_integer(value: &Value) -> bool {
    matches!(value, Value::Number(number) if is_integral(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn number(value: Value) -> Number {
        match value {
            Value::Number(number) => number,
            other => panic!("{other} is not a number"),
        }
    }

    #[test]
    fn values_not_spellings() {
        assert!(equal(&json!({"a": [1, 2.0]}), &json!({"a": [1.0, 2]})));
        assert!(!equal(&json!(9007199254740993_u64), &json!(9007199254740992.0)));
        let text = |value| {
            let mut out = String::new();
            canonical(&value, &mut out);
            out
        };
        assert_eq!(text(json!({"b": 1.0, "a": -0.0})), text(json!({"a": 0, "b": 1})));
        assert_ne!(text(json!(1.5)), text(json!(1)));
        assert_ne!(text(json!(-10.0)), text(json!(10)));
    }

    #[test]
    fn what_was_rounded_is_out_of_range() {
        let within = |text: &str, low, high| {
            in_range(&serde_json::from_str(text).expect("a number"), low, high)
        };
        let int64 = |text| within(text, i64::MIN.into(), i64::MAX.into());
        assert!(int64("-9223372036854775808") && int64("9223372036854775807") && int64("5.0"));
        assert!(!int64("-9223372036854775809") && !int64("9223372036854775808"));
        let uint64 = |text| within(text, 0, u64::MAX.into());
        assert!(uint64("18446744073709551615") && !uint64("18446744073709551616"));
        assert!(within("-2147483648.0", i32::MIN.into(), i32::MAX.into()));
    }

    #[test]
    fn multiples_in_decimal() {
        for (value, step, is) in [
            (json!(0.3), json!(0.1), true),
            (json!(19.99), json!(0.01), true),
            (json!(0.35), json!(0.1), false),
            (json!(7), json!(2), false),
            (json!(-8), json!(2.0), true),
            (json!(1e300), json!(0.5), true),
            (json!(1e-300), json!(5), false),
        ] {
            assert_eq!(
                is_multiple(&number(value.clone()), &number(step.clone())),
                is,
                "{value} {step}"
            );
        }
    }
}
