//! HyperLogLog: estimates the number of distinct things in a few kilobytes.
//!
//! Flajolet, Fusy, Gandouet, Meunier: "HyperLogLog: the analysis of a near-optimal cardinality
//! estimation algorithm", AofA 2007. Only the raw estimate is used: without the switch to linear
//! counting at its low end it is a monotone function of the registers, which are a function of the
//! set of hashes. So decisions based on it never revert with more input, and do not depend on the
//! order. It only uses integers, so that every machine gives the same estimate.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The registers; empty until something is inserted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hll {
    /// A power of two of them; each is 0 if empty, otherwise the rank of the rarest hash.
    registers: Vec<u8>,
    /// The sum for the estimate, cached because it is needed after every change.
    sum: u128,
}

/// The contribution of a register to the sum.
fn term(rank: u8) -> u128 {
    1 << (MOST - rank)
}

/// The maximum rank. Each rank has a letter, and only one hash in 2^52 has a higher rank.
const MOST: u8 = 52;

impl Hll {
    pub(crate) fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }

    /// Inserts a hash; `bits` (4 to 16) is the binary logarithm of the number of registers, the
    /// same in each call. True if that changed something.
    pub(crate) fn insert(&mut self, hash: u64, bits: u32) -> bool {
        if self.registers.is_empty() {
            self.registers = vec![0; 1 << bits];
            self.sum = term(0) << bits;
        }
        let index = (hash >> (64 - bits)) as usize;
        let rank = ((hash << bits).leading_zeros() + 1).min(u32::from(MOST)) as u8;
        match self.registers.get_mut(index) {
            Some(register) if *register < rank => {
                self.sum = self.sum + term(rank) - term(*register);
                *register = rank;
                true
            }
            _ => false,
        }
    }

    /// Adds another one with the same number of registers.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.registers.len() < other.registers.len() {
            self.registers.resize(other.registers.len(), 0);
        }
        for (mine, theirs) in self.registers.iter_mut().zip(other.registers) {
            *mine = (*mine).max(theirs);
        }
        self.sum = self.registers.iter().map(|rank| term(*rank)).sum();
    }

    /// The raw estimate, rounded down. It is too high below about five times the number of
    /// registers.
    pub(crate) fn estimate(&self) -> u64 {
        let m = self.registers.len() as u128;
        let sum = self.sum;
        if sum == 0 {
            return 0;
        }
        // The bias correction of the paper's figure 3, as a fraction.
        let (over, under) = match m {
            16 => (673, 1000),
            32 => (697, 1000),
            64 => (709, 1000),
            _ => (7213 * m, 10 * (1000 * m + 1079)),
        };
        u64::try_from(((over * m * m) << MOST) / (under * sum)).unwrap_or(u64::MAX)
    }
}

/// The text form in a partial: a letter for each non-zero register, and the lengths of zero runs.
impl Serialize for Hll {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (mut text, mut zeros) = (String::new(), 0);
        for rank in &self.registers {
            let letter = match rank {
                0 => {
                    zeros += 1;
                    continue;
                }
                1..=26 => b'A' + rank - 1,
                _ => b'a' + rank - 27,
            };
            if zeros > 0 {
                text.push_str(&zeros.to_string());
                zeros = 0;
            }
            text.push(char::from(letter));
        }
        if zeros > 0 {
            text.push_str(&zeros.to_string());
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Hll {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text).ok_or_else(|| D::Error::custom("places are no letters and lengths"))
    }
}

/// The maximum number of registers in a partial.
const LONGEST: usize = 1 << 16;

fn read(text: &str) -> Option<Hll> {
    let (mut registers, mut zeros) = (Vec::new(), 0usize);
    for byte in text.bytes() {
        let rank = match byte {
            b'0'..=b'9' => {
                zeros = zeros * 10 + usize::from(byte - b'0');
                if zeros > LONGEST {
                    return None;
                }
                continue;
            }
            b'A'..=b'Z' => byte - b'A' + 1,
            b'a'..=b'z' => byte - b'a' + 27,
            _ => return None,
        };
        registers.resize(registers.len() + zeros, 0);
        zeros = 0;
        registers.push(rank);
        if registers.len() > LONGEST {
            return None;
        }
    }
    registers.resize(registers.len() + zeros, 0);
    let sum = registers.iter().map(|rank| term(*rank)).sum();
    (registers.is_empty() || registers.len().is_power_of_two()).then_some(Hll { registers, sum })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::infer::sketch::below;

    fn of(numbers: impl Iterator<Item = u32>, bits: u32) -> Hll {
        let mut hll = Hll::default();
        for number in numbers {
            hll.insert(below(0, &number.to_string()), bits);
        }
        hll
    }

    #[test]
    fn close_to_the_truth_above_the_small_range() {
        for n in [20_480, 100_000, 400_000] {
            let estimate = of(0..n, 12).estimate();
            // The standard error is 1.04/sqrt(4096), 1.6 %. The input is fixed, so four standard
            // errors never fail by chance.
            assert!(estimate.abs_diff(n.into()) < u64::from(n) * 65 / 1000, "{estimate} for {n}");
        }
        assert_eq!(Hll::default().estimate(), 0);
    }

    #[test]
    fn what_is_no_sketch_is_rejected() {
        for text in ["A", "AB3", "!", "99999999999999999999999", "65537A", "65536A"] {
            let known = read(text).is_some();
            assert_eq!(known, text == "A", "{text}");
        }
    }

    proptest! {
        #[test]
        fn merging_is_union_and_never_lowers_the_estimate(a in 0u32..300, b in 0u32..300, c in 0u32..300) {
            let (low, high) = (a.min(b), a.max(b) + c);
            let (mut one, other) = (of(0..high, 5), of(low..high + c, 5));
            let before = one.estimate();
            one.merge(other);
            prop_assert_eq!(&one, &of((0..high + c).rev(), 5));
            prop_assert!(one.estimate() >= before);
            let text = serde_json::to_string(&one).unwrap();
            prop_assert_eq!(serde_json::from_str::<Hll>(&text).unwrap(), one);
        }
    }
}
