//! The age gate (Art. 8 GDPR): a birth date is compared with today and dropped. It is in no row, event, question or text;
//! nothing but a refusal follows from it.

use std::fmt;

use chassis::settings::{AgeGate, Settings};
use chrono::NaiveDate;

/// Nobody is older: what is earlier is a slip.
const OLDEST: u32 = 130;

/// What is asked of the age of who registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    is_required: bool,
    minimum: u32,
}

/// Why somebody cannot register; it does not repeat the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No date was told.
    Missing,
    /// It is no date of birth.
    NoDate,
    /// They are younger than this.
    Younger(u32),
}

impl Gate {
    /// As the deployment has set it.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            is_required: settings.age_gate == AgeGate::Required,
            minimum: settings.minimum_age,
        }
    }

    /// Whether somebody who was born on this day may register today.
    pub(crate) fn check(self, born_on: Option<&str>, today: NaiveDate) -> Result<(), Refused> {
        let Some(text) = born_on else {
            return if self.is_required {
                Err(Refused::Missing)
            } else {
                Ok(())
            };
        };
        let age = NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .and_then(|born_on| today.years_since(born_on))
            .filter(|age| *age <= OLDEST)
            .ok_or(Refused::NoDate)?;
        if age < self.minimum {
            return Err(Refused::Younger(self.minimum));
        }
        Ok(())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(
                f,
                "must be the date of birth; it is compared with the minimum age and not kept"
            ),
            Self::NoDate => write!(f, "must be a date of birth like 1984-05-31"),
            Self::Younger(minimum) => {
                write!(f, "who registers must be at least {minimum} years old")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONAL: Gate = Gate {
        is_required: false,
        minimum: 16,
    };
    const REQUIRED: Gate = Gate {
        is_required: true,
        minimum: 16,
    };

    fn on(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn somebody_may_register_from_their_birthday_on() {
        let birthday = on(2026, 5, 1);
        let before = birthday.pred_opt().unwrap();
        assert_eq!(OPTIONAL.check(Some("2010-05-01"), birthday), Ok(()));
        assert_eq!(
            OPTIONAL.check(Some("2010-05-01"), before),
            Err(Refused::Younger(16))
        );
    }

    #[test]
    fn who_was_born_on_a_leap_day_is_a_year_older_on_the_first_of_march() {
        let born = Some("2012-02-29");
        let younger = Err(Refused::Younger(17));
        let gate = Gate {
            minimum: 17,
            ..OPTIONAL
        };
        assert_eq!(gate.check(born, on(2029, 2, 28)), younger);
        assert_eq!(gate.check(born, on(2029, 3, 1)), Ok(()));
    }

    #[test]
    fn a_date_may_be_left_out_only_where_none_is_required() {
        assert_eq!(OPTIONAL.check(None, on(2026, 5, 1)), Ok(()));
        assert_eq!(REQUIRED.check(None, on(2026, 5, 1)), Err(Refused::Missing));
    }

    #[test]
    fn what_is_no_date_of_birth_is_refused_without_repeating_it() {
        for text in ["", "31.05.1984", "1984-02-30", "2027-01-01", "1850-01-01"] {
            let refused = REQUIRED.check(Some(text), on(2026, 5, 1)).unwrap_err();
            assert_eq!(refused, Refused::NoDate, "{text}");
            assert!(text.is_empty() || !refused.to_string().contains(text));
        }
    }
}
