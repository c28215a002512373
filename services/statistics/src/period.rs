//! The days that a series is asked for.

use chassis::http::FieldError;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

/// The most days in one answer: a leap year.
const MOST_DAYS: i64 = 366;
const DEFAULT_DAYS: u64 = 30;
/// A day in the unit of stored times.
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;
/// A week in the unit of stored times.
pub(crate) const WEEK_MICROS: i64 = 7 * DAY_MICROS;
/// Weeks begin on Mondays, and 1970 on a Thursday.
pub(crate) const WEEKS_BEGIN: i64 = 3 * DAY_MICROS;

/// From the beginning of one day to the end of another, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// When the first day begins.
    pub(crate) from: i64,
    /// When the day after the last begins.
    pub(crate) until: i64,
}

impl Period {
    /// One day, counted from 1970.
    pub(crate) fn of_day(day: i64) -> Self {
        let from = day.saturating_mul(DAY_MICROS);
        Self {
            from,
            until: from.saturating_add(DAY_MICROS),
        }
    }

    /// The days from `from` to `to`, both included; empty ones are as good as missing.
    pub(crate) fn parse(
        from: Option<&str>,
        to: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Self, FieldError> {
        let to = day("/to", to)?.unwrap_or_else(|| now.date_naive());
        let earlier = to
            .checked_sub_days(Days::new(DEFAULT_DAYS - 1))
            .unwrap_or(to);
        let from = day("/from", from)?.unwrap_or(earlier);
        let days = to.signed_duration_since(from).num_days() + 1;
        if days < 1 {
            return Err(FieldError::new("/from", "must not be after `to`"));
        }
        if days > MOST_DAYS {
            let detail = format!("may be at most {MOST_DAYS} days before `to`");
            return Err(FieldError::new("/from", detail));
        }
        let from = from.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
        Ok(Self {
            from,
            until: from.saturating_add(days.saturating_mul(DAY_MICROS)),
        })
    }
}

/// When a day, counted from 1970, begins.
pub(crate) fn start_of(day: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(day.checked_mul(DAY_MICROS)?)
}

/// The week of a time, counted from the one in which 1970 began.
pub(crate) fn week_of(at: i64) -> i64 {
    at.saturating_add(WEEKS_BEGIN).div_euclid(WEEK_MICROS)
}

/// The Monday with which a week begins.
pub(crate) fn monday_of(week: i64) -> Option<NaiveDate> {
    let at = week.checked_mul(WEEK_MICROS)?.checked_sub(WEEKS_BEGIN)?;
    Some(DateTime::from_timestamp_micros(at)?.date_naive())
}

/// A day of the years that our databases' times reach.
fn day(pointer: &str, text: Option<&str>) -> Result<Option<NaiveDate>, FieldError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let date = text.parse::<NaiveDate>().ok().or_else(|| {
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        Some(time.to_utc().date_naive())
    });
    let years = NaiveDate::from_ymd_opt(1970, 1, 1)..=NaiveDate::from_ymd_opt(9999, 12, 31);
    date.filter(|date| years.contains(&Some(*date)))
        .map(Some)
        .ok_or_else(|| FieldError::new(pointer, "must be a day from 1970 on, e.g. 2026-05-01"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(from: &str, to: &str) -> Result<Period, FieldError> {
        let now = "2026-05-10T12:00:00Z".parse().unwrap();
        Period::parse(Some(from), Some(to), now)
    }

    fn days(period: Period) -> i64 {
        (period.until - period.from) / DAY_MICROS
    }

    #[test]
    fn both_ends_are_included() {
        assert_eq!(days(parse("2026-05-01", "2026-05-01").unwrap()), 1);
        assert_eq!(days(parse("2026-05-01", "2026-05-07").unwrap()), 7);
        assert_eq!(days(parse("2024-01-01", "2024-12-31").unwrap()), 366);
    }

    #[test]
    fn by_default_it_is_the_last_thirty_days() {
        let period = parse("", "").unwrap();
        assert_eq!(days(period), 30);
        assert_eq!(period, parse("2026-04-11", "2026-05-10").unwrap());
    }

    #[test]
    fn times_mean_their_day_in_utc() {
        assert_eq!(
            parse("2026-05-02T01:00:00+02:00", "2026-05-02"),
            parse("2026-05-01", "2026-05-02")
        );
    }

    #[test]
    fn wrong_days_are_refused_at_their_place() {
        for (from, to, pointer) in [
            ("2026-05-02", "2026-05-01", "/from"),
            ("2025-01-01", "2026-05-01", "/from"),
            ("yesterday", "2026-05-01", "/from"),
            ("1969-12-31", "1970-01-01", "/from"),
            ("2026-05-01", "2026-02-30", "/to"),
            ("2026-05-01", "+12026-05-01", "/to"),
        ] {
            assert_eq!(parse(from, to).unwrap_err().pointer, pointer, "{from} {to}");
        }
    }

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(monday_of(0).unwrap().to_string(), "1969-12-29");
        assert_eq!(week_of(4 * DAY_MICROS - 1), 0);
        assert_eq!(week_of(4 * DAY_MICROS), 1);
        assert_eq!(monday_of(1).unwrap().to_string(), "1970-01-05");
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(
            start_of(1).unwrap().to_rfc3339(),
            "1970-01-02T00:00:00+00:00"
        );
        assert_eq!(start_of(i64::MAX), None);
    }
}
