//! Numbers: multiples of a step within a range, in decimal arithmetic, so that rounding never
//! leaves the range.

use rand::RngCore;
use serde_json::Number;

use super::conjunction::Flat;
use super::vocabulary::Meaning;
use crate::format::{below, integer_range};
use crate::schema::{Bound, compare_numbers, decimal};

/// The number of multiples to choose from, because data with twenty digits everywhere are not
/// plausible.
const WINDOW: i128 = 1_000;
/// Maximum number of decimal places.
const MAX_SCALE: u32 = 17;

#[derive(Debug)]
pub(super) enum NumberPlan {
    /// `k * step * 10^-scale` for plausible `k` from `low` to `high`, among all legal ones.
    Grid { low: i128, high: i128, all: (i128, i128), step: i128, scale: u32, fractional: bool },
    /// Any number between two numbers that are too large or too small for the grid.
    Span { low: f64, high: f64, integer: bool },
}

/// `mantissa * 10^-scale`
#[derive(Clone, Copy)]
struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Decimal {
    fn of(number: &Number) -> Option<Decimal> {
        let (mantissa, exponent) = decimal(number)?;
        let scale = exponent.checked_neg()?;
        if scale < 0 {
            let factor = power(u32::try_from(-scale).ok().filter(|scale| *scale <= 24)?)?;
            return Some(Decimal { mantissa: mantissa.checked_mul(factor)?, scale: 0 });
        }
        let scale = u32::try_from(scale).ok().filter(|scale| *scale <= MAX_SCALE)?;
        Some(Decimal { mantissa, scale })
    }

    /// The mantissa at the same or a larger scale.
    fn at(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(power(scale - self.scale)?)
    }
}

fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl NumberPlan {
    /// `None` if the bounds allow no number.
    pub(super) fn compile(flat: &Flat<'_>, integer: bool) -> Option<NumberPlan> {
        let mut low: Option<Bound> = None;
        let mut high: Option<Bound> = None;
        for node in flat.all() {
            let range = node.format.as_deref().and_then(integer_range);
            let end = |value: i128| {
                let number = i64::try_from(value).map(Number::from);
                let number = number.or_else(|_| u64::try_from(value).map(Number::from)).ok()?;
                Some(Bound { value: number, exclusive: false })
            };
            let least = range.and_then(|range| end(range.0));
            let greatest = range.and_then(|range| end(range.1));
            for bound in node.minimum.iter().chain(&least) {
                tighten(&mut low, bound, std::cmp::Ordering::Greater);
            }
            for bound in node.maximum.iter().chain(&greatest) {
                tighten(&mut high, bound, std::cmp::Ordering::Less);
            }
        }
        let steps: Vec<&Number> = flat.all().filter_map(|node| node.multiple_of.as_ref()).collect();
        let plan = grid(low.as_ref(), high.as_ref(), &steps, integer, flat.meaning);
        plan.unwrap_or_else(|| span(low.as_ref(), high.as_ref(), integer))
    }

    /// Writes a number as JSON: a plausible one, or one from the ends or the middle of all legal
    /// ones.
    pub(super) fn write(&self, any: bool, rng: &mut impl RngCore, out: &mut Vec<u8>) {
        match self {
            NumberPlan::Grid { low, high, all, step, scale, fractional } => {
                let (first, last) = *all;
                let (low, high) = match below(rng, 5) {
                    _ if !any => (*low, *high),
                    0 => (first, last.min(first.saturating_add(8))),
                    1 => (first.max(last.saturating_sub(8)), last),
                    2 => ((-8).clamp(first, last), 8.clamp(first, last)),
                    3 => ((-WINDOW).clamp(first, last), WINDOW.clamp(first, last)),
                    _ => (first, last),
                };
                // The number of all `uint64` values does not fit into a u64.
                let count = u64::try_from(high - low).unwrap_or(u64::MAX).saturating_add(1);
                let mut multiple = low + i128::from(below(rng, count));
                if *fractional {
                    // Validators with binary arithmetic must agree too.
                    for _ in 0..64 {
                        if divides(multiple * step, *step, *scale) {
                            break;
                        }
                        multiple = low + i128::from(below(rng, count));
                    }
                }
                push_decimal(out, multiple * step, *scale);
            }
            NumberPlan::Span { low, high, integer } => {
                let part = below(rng, 1 << 53) as f64 / (1_u64 << 53) as f64;
                let mut value = (low + (high - low) * part).clamp(*low, *high);
                if *integer {
                    value = value.round().clamp(*low, *high);
                }
                // A finite `f64` always has a JSON form.
                if let Some(number) = Number::from_f64(value) {
                    out.extend_from_slice(number.to_string().as_bytes());
                } else {
                    out.push(b'0');
                }
            }
        }
    }
}

fn tighten(bound: &mut Option<Bound>, other: &Bound, tighter: std::cmp::Ordering) {
    let replace =
        bound.as_ref().is_none_or(|bound| match compare_numbers(&other.value, &bound.value) {
            std::cmp::Ordering::Equal => other.exclusive && !bound.exclusive,
            order => order == tighter,
        });
    if replace {
        *bound = Some(other.clone());
    }
}

/// The outer `None` means that the numbers do not fit the arithmetic, the inner one that no number
/// is possible.
fn grid(
    low: Option<&Bound>,
    high: Option<&Bound>,
    steps: &[&Number],
    integer: bool,
    meaning: Option<Meaning>,
) -> Option<Option<NumberPlan>> {
    let hint = meaning.and_then(Meaning::number);
    let steps: Vec<Decimal> = steps.iter().map(|step| Decimal::of(step)).collect::<Option<_>>()?;
    let steps: Vec<Decimal> = steps.into_iter().filter(|step| step.mantissa > 0).collect();
    let ends = [low, high].map(|bound| bound.map(|bound| Decimal::of(&bound.value)));
    let (low_end, high_end) = (
        ends[0].map_or(Some(None), |end| end.map(Some))?,
        ends[1].map_or(Some(None), |end| end.map(Some))?,
    );
    let mut scale = match steps.iter().map(|step| step.scale).max() {
        Some(scale) => scale,
        None if integer => 0,
        None => hint.map_or(2, |hint| hint.scale),
    };
    loop {
        let mut step = 1;
        for other in &steps {
            let other = other.at(scale)?;
            step = (step / gcd(step, other)).checked_mul(other)?;
        }
        if integer {
            // The least common multiple with 1.
            let one = power(scale)?;
            step = (step / gcd(step, one)).checked_mul(one)?;
        }
        let first =
            low.zip(low_end).map(|(bound, end)| first_multiple(end, bound.exclusive, step, scale));
        let last = high.zip(high_end).map(|(bound, end)| {
            // The last multiple below a bound is the first multiple above the bound of the mirrored
            // range.
            let mirrored = Decimal { mantissa: -end.mantissa, scale: end.scale };
            first_multiple(mirrored, bound.exclusive, step, scale).map(|multiple| -multiple)
        });
        let (first, last) = (
            first.map_or(Some(None), |end| end.map(Some))?,
            last.map_or(Some(None), |end| end.map(Some))?,
        );
        if let (Some(first), Some(last)) = (first, last)
            && first > last
        {
            if integer || !steps.is_empty() {
                return Some(None);
            }
            if scale >= MAX_SCALE {
                return None;
            }
            scale += 1;
            continue;
        }
        let preferred = hint.and_then(|hint| {
            let unit = power(scale)?;
            Some((i128::from(hint.low) * unit / step, i128::from(hint.high) * unit / step))
        });
        let width = WINDOW.checked_mul(power(scale)?)? / step;
        let (low, high) = window(first, last, preferred, width.max(8));
        let fractional = scale > 0 && !steps.is_empty();
        // Not all readers represent numbers beyond 2^53 exactly.
        let limit = (1 << 53) / step.max(1);
        let all = (first.unwrap_or(-limit).min(low), last.unwrap_or(limit).max(high));
        let fits = all.1.checked_mul(step).is_some() && all.0.checked_mul(step).is_some();
        return fits.then_some(Some(NumberPlan::Grid { low, high, all, step, scale, fractional }));
    }
}

/// The lowest `k` with `k * step * 10^-scale` not below (or above, if exclusive) the bound.
fn first_multiple(bound: Decimal, exclusive: bool, step: i128, scale: u32) -> Option<i128> {
    let common = scale.max(bound.scale);
    let (bound, step) = (bound.at(common)?, step.checked_mul(power(common - scale)?)?);
    let floor = bound.div_euclid(step);
    let exact = bound.rem_euclid(step) == 0;
    Some(if exact && !exclusive { floor } else { floor + 1 })
}

/// The part of a range that plausible data come from.
fn window(
    first: Option<i128>,
    last: Option<i128>,
    preferred: Option<(i128, i128)>,
    width: i128,
) -> (i128, i128) {
    if let Some((low, high)) = preferred {
        let low = first.map_or(low, |first| first.max(low));
        let high = last.map_or(high, |last| last.min(high));
        if low <= high {
            return (low, high);
        }
    }
    match (first, last) {
        (None, None) => (0, width),
        (Some(first), None) => {
            (first, if first <= 0 { width } else { first.saturating_add(width) })
        }
        (None, Some(last)) => (
            if last >= 0 { 0.max(last.saturating_sub(width)) } else { last.saturating_sub(width) },
            last,
        ),
        (Some(first), Some(last)) if last.saturating_sub(first) <= width.saturating_mul(10) => {
            (first, last)
        }
        (Some(first), Some(last)) => {
            let low = 0.clamp(first, last);
            let high = last.min(low.saturating_add(width));
            (first.max(high.saturating_sub(width)), high)
        }
    }
}

fn span(low: Option<&Bound>, high: Option<&Bound>, integer: bool) -> Option<NumberPlan> {
    let value = |bound: &Bound| bound.value.as_f64().filter(|value| value.is_finite());
    let mut least = low.and_then(value);
    let mut greatest = high.and_then(value);
    if low.is_some_and(|bound| bound.exclusive) {
        least = least.map(|value| if integer { value.floor() + 1.0 } else { value.next_up() });
    }
    if high.is_some_and(|bound| bound.exclusive) {
        greatest =
            greatest.map(|value| if integer { value.ceil() - 1.0 } else { value.next_down() });
    }
    let (least, greatest) = match (least, greatest) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, (low + low.abs()).min(f64::MAX)),
        (None, Some(high)) => ((high - high.abs()).max(f64::MIN), high),
        (None, None) => (0.0, 1000.0),
    };
    if least > greatest {
        return None;
    }
    // The difference of the bounds must be finite too.
    let (least, greatest) =
        (least.max(f64::MIN / 4.0).min(greatest), greatest.min(f64::MAX / 4.0).max(least));
    Some(NumberPlan::Span { low: least, high: greatest, integer })
}

/// True if the quotient is an integer in `f64` too.
fn divides(value: i128, step: i128, scale: u32) -> bool {
    let float = |mantissa: i128| {
        let mut text = Vec::new();
        push_decimal(&mut text, mantissa, scale);
        std::str::from_utf8(&text).ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(1.0)
    };
    (float(value) / float(step)).fract() == 0.0
}

/// Appends `mantissa * 10^-scale` without trailing zeros.
fn push_decimal(out: &mut Vec<u8>, mantissa: i128, scale: u32) {
    let (mut mantissa, mut scale) = (mantissa, scale as usize);
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    let mut digits = [b'0'; 40];
    let (mut at, mut rest) = (digits.len(), mantissa.unsigned_abs());
    while rest > u128::from(u64::MAX) {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    // Most numbers fit in 64 bits, and 128-bit division is slow.
    let mut rest = rest as u64;
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let point = digits.len() - scale;
    at = at.min(point - 1);
    if mantissa < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..point]);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(&digits[point..]);
    }
}
