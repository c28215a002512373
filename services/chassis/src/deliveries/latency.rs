//! How long it takes from what an event tells of until a consumer has handled it: as a histogram for Prometheus,
//! and over the last minutes for whoever looks at the dashboard. Kept in memory, by each process for itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::Utc;
use envelope::Decoded;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rpc::CommonQuestion;

/// Over so many minutes, the one that runs among them.
const MINUTES: i64 = 5;
const MILLIS_IN_A_MINUTE: i64 = 60 * 1000;
/// Each class of lengths ends a fifth later than the one before: so exact are the figures.
const STEP: f64 = 1.2;

/// How many events of a minute took how long, by class.
type Classes = BTreeMap<i32, u64>;
/// The classes of the last minutes, by minutes since 1970.
type Window = BTreeMap<i64, Classes>;

static RECENT: LazyLock<Mutex<HashMap<&'static str, Window>>> = LazyLock::new(Mutex::default);

/// How fast are you? Answered by one process for itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct HowFast {}

impl CommonQuestion for HowFast {
    const NAME: &'static str = "how-fast";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Latency;
}

/// How long events took that were handled in the last five minutes, from what they tell of until their effect was
/// committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Latency {
    /// How many there were.
    pub events: u64,
    /// Half of them took no longer, in milliseconds; null when there were none.
    #[schema(required)]
    pub p50_ms: Option<u64>,
    /// Ninety-nine of a hundred took no longer, in milliseconds.
    #[schema(required)]
    pub p99_ms: Option<u64>,
}

/// Notes that a consumer has handled events now.
pub(crate) fn record<'e>(consumer: &'static str, events: impl IntoIterator<Item = &'e Decoded>) {
    let now = Utc::now();
    // Looked up once for all of a batch.
    let ages = metrics::histogram!("dipper_event_age_when_handled_seconds", "consumer" => consumer);
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let window = recent.entry(consumer).or_default();
    for event in events {
        let took = now - event.envelope.metadata.time;
        ages.record(took.as_seconds_f64().max(0.0));
        add(window, now.timestamp_millis(), took.num_milliseconds());
    }
}

/// How fast a consumer of this process was lately.
pub(crate) fn of(consumer: &str) -> Latency {
    let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let window = recent.get(consumer);
    window.map_or_else(Latency::default, |window| {
        sum_up(window, Utc::now().timestamp_millis())
    })
}

fn add(window: &mut Window, now: i64, took: i64) {
    let minute = now / MILLIS_IN_A_MINUTE;
    window.retain(|one, _| *one > minute - MINUTES);
    let classes = window.entry(minute).or_default();
    *classes.entry(class(took)).or_default() += 1;
}

fn sum_up(window: &Window, now: i64) -> Latency {
    let minute = now / MILLIS_IN_A_MINUTE;
    let mut all = Classes::new();
    for classes in window.range(minute - MINUTES + 1..).map(|(_, one)| one) {
        for (class, events) in classes {
            *all.entry(*class).or_default() += events;
        }
    }
    Latency {
        events: all.values().sum(),
        p50_ms: quantile(&all, 50),
        p99_ms: quantile(&all, 99),
    }
}

/// Clocks of other producers may be ahead of ours: less than a millisecond is one.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "lengths in milliseconds are far below 2^52, and their logarithms small"
)]
fn class(took: i64) -> i32 {
    (took.max(1) as f64).log(STEP).ceil() as i32
}

/// The end of the class in which so many of a hundred are reached.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "classes end above nothing, and far below 2^64"
)]
fn quantile(classes: &Classes, percent: u64) -> Option<u64> {
    let wanted = (classes.values().sum::<u64>() * percent).div_ceil(100);
    let mut passed = 0;
    let reached = classes.iter().find(|(_, events)| {
        passed += **events;
        passed >= wanted
    });
    reached.map(|(class, _)| STEP.powi(*class).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn half_and_nearly_all_are_told_to_a_fifth() {
        let mut window = Window::new();
        for took in 1..=1000 {
            add(&mut window, NOW, took);
        }
        let told = sum_up(&window, NOW);
        assert_eq!(told.events, 1000);
        assert!((500..=600).contains(&told.p50_ms.unwrap()), "{told:?}");
        assert!((990..=1188).contains(&told.p99_ms.unwrap()), "{told:?}");
    }

    #[test]
    fn what_is_older_than_five_minutes_is_not_told_any_more() {
        let mut window = Window::new();
        add(&mut window, NOW, 20);
        let later = |minutes: i64| sum_up(&window, NOW + minutes * MILLIS_IN_A_MINUTE);
        assert_eq!(later(4).events, 1);
        assert_eq!(later(5), Latency::default());
    }

    #[test]
    fn a_clock_that_is_ahead_makes_no_negative_length() {
        let mut window = Window::new();
        add(&mut window, NOW, -3000);
        assert_eq!(sum_up(&window, NOW).p99_ms, Some(1));
    }
}
