//! Durations as they are written on the command line: `500ms`, `5s`, `2m`, and `90d` for what lasts
//! longer than a dial.

use std::time::Duration;

/// The longest that makes sense for a dial; far from where a clock overflows.
const LONGEST: Duration = Duration::from_hours(24);
/// The longest that a history may reach back, ten years.
const LONGEST_AGE: Duration = Duration::from_hours(24 * 3660);

/// Reads a whole number with its unit.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    match read(text, &[("ms", 1), ("s", 1_000), ("m", 60_000)]) {
        Read::Unit => {
            Err("write a whole number and ms, s or m, such as `500ms`, `5s`, `2m`".into())
        }
        Read::NoNumber => Err("there is no number before the unit".into()),
        Read::Duration(Duration::ZERO) => Err("must be more than zero".into()),
        Read::Duration(duration) if duration <= LONGEST => Ok(duration),
        Read::Duration(_) | Read::TooLong => Err("must not be more than 1440m".into()),
    }
}

/// As [`parse`], where `0` turns something off.
pub(super) fn parse_or_zero(text: &str) -> Result<Duration, String> {
    if ["0", "0ms", "0s", "0m"].contains(&text) {
        return Ok(Duration::ZERO);
    }
    parse(text)
}

/// Reads a whole number of days, hours or minutes, for what is kept or still holds.
pub(super) fn parse_age(text: &str) -> Result<Duration, String> {
    const MINUTE: u64 = 60_000;
    match read(
        text,
        &[("m", MINUTE), ("h", 60 * MINUTE), ("d", 1440 * MINUTE)],
    ) {
        Read::Unit => Err("write a whole number and d, h or m, such as `30d`, `12h`".into()),
        Read::NoNumber => Err("there is no number before the unit".into()),
        Read::Duration(Duration::ZERO) => Err("must be more than zero".into()),
        Read::Duration(duration) if duration <= LONGEST_AGE => Ok(duration),
        Read::Duration(_) | Read::TooLong => Err("must not be more than 3660d".into()),
    }
}

enum Read {
    Duration(Duration),
    NoNumber,
    TooLong,
    Unit,
}

fn read(text: &str, units: &[(&str, u64)]) -> Read {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let Some((_, per_unit)) = units.iter().find(|(known, _)| *known == unit) else {
        return Read::Unit;
    };
    if number.is_empty() {
        return Read::NoNumber;
    }
    let number = number.parse::<u64>().ok();
    match number.and_then(|number| number.checked_mul(*per_unit)) {
        Some(ms) => Read::Duration(Duration::from_millis(ms)),
        None => Read::TooLong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_units() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(parse("1440m"), Ok(LONGEST));
    }

    #[test]
    fn ages_have_longer_units() {
        assert_eq!(parse_age("90d"), Ok(Duration::from_hours(90 * 24)));
        assert_eq!(parse_age("12h"), Ok(Duration::from_hours(12)));
        for text in [
            "",
            "d",
            "0d",
            "5s",
            "1.5d",
            "3661d",
            "99999999999999999999d",
        ] {
            assert!(parse_age(text).is_err(), "{text}");
        }
        for text in ["0", "0ms", "0s", "0m"] {
            assert_eq!(parse_or_zero(text), Ok(Duration::ZERO), "{text}");
        }
        assert!(parse_or_zero("0h").is_err());
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "5",
            "s",
            "ms",
            "-5s",
            "+5s",
            "5 s",
            "1.5s",
            "5h",
            "5S",
            "0s",
            "1441m",
            "99999999999999999999s",
            "18446744073709551615m",
            "٥s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
