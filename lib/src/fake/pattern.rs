//! Texts that match a regular expression, written along its syntax tree.

use rand::RngCore;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::format::below;

/// Maximum size after which nothing more is repeated, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// How often to repeat.
#[derive(Debug, Clone, Copy)]
pub(super) enum Repeats {
    /// Up to this many times more than required, for each repetition.
    Each(u64),
    /// This many bytes more than required in total.
    Total(u64),
}

/// The syntax tree of an expression that compiles.
pub(super) fn parse(source: &str) -> Option<Hir> {
    regex_syntax::Parser::new().parse(source).ok()
}

/// Appends a matching text. The caller must check assertions (`^`, `$`, `\b`).
pub(super) fn write(hir: &Hir, rng: &mut dyn RngCore, repeats: &mut Repeats, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            let ranges =
                || class.iter().map(|range| (u32::from(range.start()), u32::from(range.end())));
            out.extend(choose(rng, ranges));
        }
        HirKind::Class(Class::Bytes(class)) => {
            let ranges =
                || class.iter().map(|range| (u32::from(range.start()), u32::from(range.end())));
            out.extend(choose(rng, ranges));
        }
        HirKind::Repetition(repetition) => {
            let least = u64::from(repetition.min);
            let spare =
                repetition.max.map_or(u64::MAX, |max| u64::from(max) - least.min(u64::from(max)));
            let unit = repetition.sub.properties().minimum_len().unwrap_or(1).max(1) as u64;
            let more = match repeats {
                Repeats::Each(limit) => below(rng, spare.min(*limit) + 1),
                Repeats::Total(rest) => {
                    let most = spare.min(*rest / unit);
                    let more = if below(rng, 2) == 0 { most } else { below(rng, most + 1) };
                    *rest -= more * unit;
                    more
                }
            };
            for done in 0..least + more {
                if done >= least && out.len() > MAX_TEXT {
                    break;
                }
                write(&repetition.sub, rng, repeats, out);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, rng, repeats, out),
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, rng, repeats, out);
            }
        }
        HirKind::Alternation(branches) => {
            write(&branches[below(rng, branches.len() as u64) as usize], rng, repeats, out);
        }
    }
}

/// A character in the ranges: an ASCII letter or digit if possible, otherwise printable ASCII,
/// otherwise any.
fn choose<I: Iterator<Item = (u32, u32)>>(
    rng: &mut dyn RngCore,
    ranges: impl Fn() -> I,
) -> Option<char> {
    const PREFERRED: [&[(u32, u32)]; 3] = [
        &[(0x30, 0x39), (0x41, 0x5a), (0x61, 0x7a)],
        &[(0x20, 0x7e)],
        &[(0, 0xd7ff), (0xe000, 0x10_ffff)],
    ];
    PREFERRED.iter().find_map(|preferred| {
        let overlaps = || {
            ranges().flat_map(|(low, high)| {
                preferred
                    .iter()
                    .map(move |(from, to)| (low.max(*from), high.min(*to)))
                    .filter(|(low, high)| low <= high)
            })
        };
        let count: u32 = overlaps().map(|(low, high)| high - low + 1).sum();
        let mut index = below(rng, u64::from(count)) as u32;
        for (low, high) in overlaps() {
            let size = high - low + 1;
            if index < size {
                return char::from_u32(low + index);
            }
            index -= size;
        }
        None
    })
}
