//! A circuit per question: while nobody answers it, one asker at a time probes, and all others
//! hear at once that there is no answer instead of waiting for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// After so many questions in a row that nobody answered in time, probes pause. One may be too hard:
/// until then the next may go out at once, though only one at a time.
const TOLERATED: u32 = 3;
/// How long after a failure the next probe may go out; doubles with each that fails.
const FIRST_PROBE: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Somebody answered, whatever it was.
    Answered,
    /// Nobody did in time.
    TooLate,
    /// The broker says that nobody listens.
    NobodyThere,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { failures: u32, until: Instant },
    Probing { failures: u32 },
}

/// The circuits of a connection, by the subject of the question.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circuits {
    states: Arc<Mutex<HashMap<String, State>>>,
}

/// The permission to ask once. Without an ending, when the asker gave up waiting, nothing was learnt.
#[derive(Debug)]
pub(super) struct Turn {
    circuits: Circuits,
    subject: String,
    before: State,
    ended: bool,
}

impl Circuits {
    /// Whether the question may be asked now.
    pub(super) fn enter(&self, subject: &str, now: Instant) -> Option<Turn> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let before = states.get(subject).copied().unwrap_or(State::Closed);
        match before {
            State::Closed => {}
            State::Open { failures, until } if until <= now => {
                states.insert(subject.to_owned(), State::Probing { failures });
            }
            State::Open { .. } | State::Probing { .. } => return None,
        }
        Some(Turn {
            circuits: self.clone(),
            subject: subject.to_owned(),
            before,
            ended: false,
        })
    }

    fn set(&self, subject: &str, change: impl FnOnce(State) -> State) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let now = states.get(subject).copied().unwrap_or(State::Closed);
        match change(now) {
            State::Closed => states.remove(subject),
            next => states.insert(subject.to_owned(), next),
        };
    }
}

impl Turn {
    /// Tells what became of the question.
    pub(super) fn end(mut self, ending: Ending, at: Instant) {
        self.ended = true;
        let before = self.before;
        self.circuits
            .set(&self.subject, |now| after(now, before, ending, at));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.ended
            && let State::Open { .. } = self.before
        {
            self.circuits.set(&self.subject, |_| self.before);
        }
    }
}

fn after(now: State, before: State, ending: Ending, at: Instant) -> State {
    let failures = match (ending, now, before) {
        (Ending::Answered, _, _) => return State::Closed,
        (_, State::Closed, _) => 1,
        (_, State::Probing { failures }, State::Open { .. }) => failures + 1,
        // Asked before the circuit opened: the probe tells more.
        (_, State::Open { .. } | State::Probing { .. }, _) => return now,
    };
    let least = if ending == Ending::NobodyThere {
        TOLERATED
    } else {
        1
    };
    let failures = failures.max(least);
    State::Open {
        failures,
        until: at + pause_after(failures),
    }
}

fn pause_after(failures: u32) -> Duration {
    match failures.checked_sub(TOLERATED) {
        None => Duration::ZERO,
        Some(more) => (FIRST_PROBE * 2_u32.saturating_pow(more)).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: &str = "svc.user-api.address";

    /// Circuits that opened at a moment.
    fn opened() -> (Circuits, Instant) {
        let (circuits, begin) = (Circuits::default(), Instant::now());
        let turn = circuits.enter(WHO, begin).unwrap();
        turn.end(Ending::NobodyThere, begin);
        (circuits, begin)
    }

    #[test]
    fn one_probe_at_a_time_goes_out_while_nobody_answers() {
        let (circuits, begin) = opened();
        assert!(circuits.enter(WHO, begin).is_none(), "too early to probe");
        let later = begin + FIRST_PROBE;
        let probe = circuits.enter(WHO, later).unwrap();
        assert!(circuits.enter(WHO, later).is_none(), "a probe is out");
        probe.end(Ending::Answered, later);
        assert!(circuits.enter(WHO, later).is_some());
        assert!(circuits.enter(WHO, later).is_some());
    }

    #[test]
    fn probes_become_rarer_but_never_rare() {
        let (circuits, mut now) = opened();
        let mut waits = Vec::new();
        for _ in 0..6 {
            let begin = now;
            let probe = loop {
                match circuits.enter(WHO, now) {
                    Some(probe) => break probe,
                    None => now += Duration::from_millis(100),
                }
            };
            probe.end(Ending::TooLate, now);
            waits.push((now - begin).as_millis());
        }
        assert_eq!(waits, [200, 400, 800, 1600, 2000, 2000]);
    }

    #[test]
    fn a_single_hard_question_stops_nobody() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        let ask = |ending| circuits.enter(WHO, now).unwrap().end(ending, now);
        ask(Ending::TooLate);
        ask(Ending::TooLate);
        ask(Ending::Answered);
        ask(Ending::TooLate);
        ask(Ending::TooLate);
        assert!(circuits.enter(WHO, now).is_some());
    }

    #[test]
    fn after_one_that_nobody_answered_they_are_asked_one_at_a_time() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        let late = circuits.enter(WHO, now).unwrap();
        late.end(Ending::TooLate, now);
        let next = circuits.enter(WHO, now).unwrap();
        assert!(circuits.enter(WHO, now).is_none(), "one is out");
        next.end(Ending::TooLate, now);
        let third = circuits.enter(WHO, now).unwrap();
        third.end(Ending::TooLate, now);
        assert!(circuits.enter(WHO, now).is_none(), "three are enough");
        assert!(circuits.enter(WHO, now + FIRST_PROBE).is_some());
    }

    #[test]
    fn what_was_asked_before_the_outage_was_noticed_starts_no_second_probe() {
        let (circuits, begin) = (Circuits::default(), Instant::now());
        let early = circuits.enter(WHO, begin).unwrap();
        let other = circuits.enter(WHO, begin).unwrap();
        other.end(Ending::NobodyThere, begin);
        let now = begin + FIRST_PROBE;
        let probe = circuits.enter(WHO, now).unwrap();
        early.end(Ending::TooLate, now);
        let later = now + LONGEST_WAIT;
        assert!(circuits.enter(WHO, later).is_none(), "a probe is out");
        probe.end(Ending::Answered, later);
    }

    #[test]
    fn a_probe_that_is_given_up_frees_its_place() {
        let (circuits, begin) = opened();
        let now = begin + FIRST_PROBE;
        drop(circuits.enter(WHO, now).unwrap());
        assert!(circuits.enter(WHO, now).is_some());
    }

    #[test]
    fn each_question_has_a_circuit_of_its_own() {
        let (circuits, now) = opened();
        let other = circuits.enter("svc.auth-api.verify-token", now);
        assert!(other.is_some());
    }
}
