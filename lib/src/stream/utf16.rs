//! Converts UTF-16 text to UTF-8, for captures of some Windows tools.

use std::io::{self, Read};

/// The byte order, from a byte order mark, or from the zero byte of a first ASCII character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Recognises UTF-16 by its first two bytes.
pub(super) fn order(head: &[u8]) -> Option<Order> {
    match head {
        [0xff, 0xfe, ..] => Some(Order::Little),
        [0xfe, 0xff, ..] => Some(Order::Big),
        [b'{' | b'[', 0, ..] => Some(Order::Little),
        [0, b'{' | b'[', ..] => Some(Order::Big),
        _ => None,
    }
}

/// Produces UTF-8 without byte order mark. Invalid sequences become U+FFFD.
pub(super) struct Utf16 {
    input: Box<dyn Read + Send>,
    order: Order,
    /// The bytes of an incomplete unit, or surrogate pair.
    rest: Vec<u8>,
    text: Vec<u8>,
    given: usize,
}

impl Utf16 {
    pub(super) fn new(input: Box<dyn Read + Send>, order: Order) -> Self {
        Utf16 { input, order, rest: Vec::new(), text: Vec::new(), given: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        const STEP: usize = 32 << 10;
        self.text.clear();
        self.given = 0;
        while self.text.is_empty() {
            let kept = self.rest.len();
            self.rest.resize(kept + STEP, 0);
            let got = match self.input.read(&mut self.rest[kept..]) {
                Ok(got) => got,
                Err(error) => {
                    self.rest.truncate(kept);
                    return Err(error);
                }
            };
            self.rest.truncate(kept + got);
            let mut units: Vec<u16> = self
                .rest
                .chunks_exact(2)
                .map(|unit| match self.order {
                    Order::Little => u16::from_le_bytes([unit[0], unit[1]]),
                    Order::Big => u16::from_be_bytes([unit[0], unit[1]]),
                })
                .collect();
            let half = |unit: &u16| (0xd800..0xdc00).contains(unit);
            if got > 0 && units.last().is_some_and(half) {
                units.pop();
            }
            let used = units.len() * 2;
            for character in char::decode_utf16(units) {
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                if character != '\u{feff}' {
                    let mut utf8 = [0; 4];
                    self.text.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                }
            }
            self.rest.drain(..used);
            if got == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Read for Utf16 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.refill()?;
        }
        let length = buffer.len().min(self.text.len() - self.given);
        buffer[..length].copy_from_slice(&self.text[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn text_comes_out_whatever_the_order_and_the_steps() {
        struct Drip(Cursor<Vec<u8>>);
        impl Read for Drip {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = buffer.len().min(1);
                self.0.read(&mut buffer[..length])
            }
        }
        let text = "{\"é\":\"😀 \u{800}\"}";
        for (order, mark) in [(Order::Little, true), (Order::Big, true), (Order::Big, false)] {
            let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
            let bytes: Vec<u8> = units
                .flat_map(|unit| match order {
                    Order::Little => unit.to_le_bytes(),
                    Order::Big => unit.to_be_bytes(),
                })
                .collect();
            assert_eq!(super::order(&bytes), Some(order));
            let mut out = String::new();
            let drip = Box::new(Drip(Cursor::new(bytes)));
            Utf16::new(drip, order).read_to_string(&mut out).unwrap();
            assert_eq!(out, text);
        }
    }
}
