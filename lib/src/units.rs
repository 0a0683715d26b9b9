//! Durations and sizes as users write them, in flags and in files, and numbers as users read them.

use std::time::Duration;

/// `500ms`, `2s`, `1m`, `1h`.
///
/// # Errors
/// A sentence that names the accepted forms.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let value: u64 = number.parse().map_err(|_| wrong_duration(text))?;
    let millis = match unit {
        "ms" => value,
        "s" => value.saturating_mul(1_000),
        "m" => value.saturating_mul(60_000),
        "h" => value.saturating_mul(3_600_000),
        _ => return Err(wrong_duration(text)),
    };
    Ok(Duration::from_millis(millis))
}

fn wrong_duration(text: &str) -> String {
    format!("{text:?} is not a duration; write 500ms, 2s, 1m or 1h")
}

/// A number with its noun: `1 path`, `2 paths`.
pub fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `16MiB`, `100k`, or bytes. `k`, `M`, `G` are powers of 1000; `KiB`, `MiB`, `GiB` of 1024.
///
/// # Errors
/// A sentence that names the accepted forms.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let wrong = || format!("{text:?} is not a size; write a number of bytes, 100k or 16MiB");
    let value: u64 = number.parse().map_err(|_| wrong())?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" | "ki" => 1 << 10,
        "mib" | "mi" => 1 << 20,
        "gib" | "gi" => 1 << 30,
        _ => return Err(wrong()),
    };
    value.checked_mul(factor).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2s"), Ok(Duration::from_secs(2)));
        assert!(parse_duration("2").is_err() && parse_duration("s").is_err());
        assert_eq!(parse_size("16MiB"), Ok(16 << 20));
        assert_eq!(parse_size("100k"), Ok(100_000));
        assert!(parse_size("1 fortnight").is_err());
    }
}
