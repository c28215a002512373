//! A circuit per question: while nobody answers it, one asker at a time probes, and all others
//! hear at once that there is no answer instead of waiting for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many questions in a row that nobody answers in time open the circuit. One may be too hard.
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
    Closed { failures: u32 },
    Open { wait: Duration, until: Instant },
    Probing { wait: Duration },
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
        let before = states.get(subject).copied();
        let before = before.unwrap_or(State::Closed { failures: 0 });
        match before {
            State::Closed { .. } => {}
            State::Open { wait, until } if until <= now => {
                states.insert(subject.to_owned(), State::Probing { wait });
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
        let now = states.get(subject).copied();
        let next = change(now.unwrap_or(State::Closed { failures: 0 }));
        if let State::Closed { failures: 0 } = next {
            states.remove(subject);
        } else {
            states.insert(subject.to_owned(), next);
        }
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
    match (ending, now, before) {
        (Ending::Answered, _, _) => State::Closed { failures: 0 },
        (Ending::TooLate, State::Closed { failures }, _) if failures + 1 < TOLERATED => {
            State::Closed {
                failures: failures + 1,
            }
        }
        (_, State::Closed { .. }, _) => open(at, FIRST_PROBE),
        (_, State::Probing { wait }, State::Open { .. }) => open(at, (wait * 2).min(LONGEST_WAIT)),
        // Asked before the circuit opened: the probe tells more.
        (_, State::Open { .. } | State::Probing { .. }, _) => now,
    }
}

fn open(at: Instant, wait: Duration) -> State {
    State::Open {
        wait,
        until: at + wait,
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
