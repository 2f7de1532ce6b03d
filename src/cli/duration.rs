//! Durations as they are written on the command line: `500ms`, `5s`, `2m`.

use std::time::Duration;

/// The longest that makes sense for a dial; far from where a clock overflows.
const LONGEST: Duration = Duration::from_hours(24);

/// Reads a whole number with its unit.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err("write a whole number and ms, s or m, such as `500ms`, `5s`, `2m`".into()),
    };
    let duration = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(per_unit))
        .map(Duration::from_millis)
        .filter(|duration| *duration <= LONGEST);
    match duration {
        Some(Duration::ZERO) => Err("must be more than zero".into()),
        Some(duration) => Ok(duration),
        None if number.is_empty() => Err("there is no number before the unit".into()),
        None => Err("must not be more than 1440m".into()),
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
