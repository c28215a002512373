//! Who may ask what: the questions that many services answer. Those that one service answers are in `clients`.

use super::{CommonQuestion, Question, subject_of};
use crate::access::{GiveBack, Held, PassOver};
use crate::audit::{AnswerAgain, Audit, Digests, Unknown};
use crate::deliveries::latency::HowFast;
use crate::deliveries::{HowMany, Inspect, Replay, Skip, WhatOf, Which};
use crate::leftovers::WriteAnew;
use crate::rebuild::{Cancel, Show, Start};
use crate::resealing::SealAnew;
use crate::retention::tables::Oldest;
use crate::returned::{Refence, Returned};

/// A question, as far as the broker is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `svc.<service>.<question>`; `*` stands for every service.
    pub subject: String,
    /// The logins that may ask it.
    pub by: &'static [&'static str],
}

impl Asked {
    /// A question that one service answers.
    pub fn of<Q: Question>() -> Self {
        Self {
            subject: Q::SUBJECT.to_owned(),
            by: Q::ASKED_BY,
        }
    }

    fn of_all<Q: CommonQuestion>() -> Self {
        Self {
            subject: subject_of::<Q>("*"),
            by: Q::ASKED_BY,
        }
    }
}

/// The questions that many services answer.
pub fn common() -> Vec<Asked> {
    vec![
        Asked::of_all::<HowMany>(),
        Asked::of_all::<Which>(),
        Asked::of_all::<Inspect>(),
        Asked::of_all::<Replay>(),
        Asked::of_all::<Skip>(),
        Asked::of_all::<WhatOf>(),
        Asked::of_all::<HowFast>(),
        Asked::of_all::<Digests>(),
        Asked::of_all::<Unknown>(),
        Asked::of_all::<AnswerAgain>(),
        Asked::of_all::<Audit>(),
        Asked::of_all::<Oldest>(),
        Asked::of_all::<WriteAnew>(),
        Asked::of_all::<SealAnew>(),
        Asked::of_all::<Start>(),
        Asked::of_all::<Show>(),
        Asked::of_all::<Cancel>(),
        Asked::of_all::<Held>(),
        Asked::of_all::<Refence>(),
        Asked::of_all::<Returned>(),
        Asked::of_all::<GiveBack>(),
        Asked::of_all::<PassOver>(),
    ]
}
