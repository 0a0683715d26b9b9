//! Escapes byte by byte: the table, and the code for processors without vectors.

/// The entry in [`ESCAPES`] for a control character without a short escape.
pub(super) const CODE: u8 = b'u';

/// The byte after the backslash for each escaped byte, 0 for bytes without an escape (RFC 8259
/// section 7).
pub(super) static ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        escapes[control] = CODE;
        control += 1;
    }
    escapes[0x08] = b'b';
    escapes[b'\t' as usize] = b't';
    escapes[b'\n' as usize] = b'n';
    escapes[0x0c] = b'f';
    escapes[b'\r' as usize] = b'r';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes
};

/// Appends the escaped text.
pub(super) fn push_each(text: &[u8], out: &mut Vec<u8>) {
    // Most names and values need no escapes.
    if text.iter().fold(0, |any, byte| any | ESCAPES[usize::from(*byte)]) == 0 {
        out.extend_from_slice(text);
        return;
    }
    let mut copied = 0;
    for (place, byte) in text.iter().enumerate() {
        let escape = ESCAPES[usize::from(*byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&text[copied..place]);
        copied = place + 1;
        if escape == CODE {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let digit = |value: u8| DIGITS[usize::from(value & 0x0f)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(*byte)]);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(&text[copied..]);
}
