//! How an erasure request goes on: pure rules, so that each can be tried by itself.
//!
//! `planned` (opened, the event is on its way) -> `fenced` (the event came: writes are refused, the
//! identity is gone, services are deleting) -> `erasing` (all services have; events are being
//! overwritten) -> `scanning` (every store is searched for what may be left) -> `erased`.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The GDPR gives a month; thirty days are never longer.
const DUE_AFTER: TimeDelta = TimeDelta::days(30);

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ErasureState)]
pub(crate) enum State {
    /// Asked for; nothing was changed yet.
    Planned,
    /// The identity is destroyed; the services are deleting what they hold.
    Fenced,
    /// All services are done; events are being overwritten.
    Erasing,
    /// Everything is deleted; the stores are searched until nothing is found.
    Scanning,
    /// Done.
    Erased,
}

impl State {
    /// As it is written in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Fenced => "fenced",
            Self::Erasing => "erasing",
            Self::Scanning => "scanning",
            Self::Erased => "erased",
        }
    }

    /// The state when so many services have still to answer.
    pub(crate) fn with_services_waiting(self, waiting: i64) -> Self {
        match (self, waiting) {
            (Self::Fenced, 0) => Self::Erasing,
            _ => self,
        }
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "planned" => Ok(Self::Planned),
            "fenced" => Ok(Self::Fenced),
            "erasing" => Ok(Self::Erasing),
            "scanning" => Ok(Self::Scanning),
            "erased" => Ok(Self::Erased),
            _ => Err(()),
        }
    }
}

/// Whether a service is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServiceState {
    /// It was asked and has not answered yet.
    Waiting,
    /// It deleted what it held.
    Done,
}

impl FromStr for ServiceState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "waiting" => Ok(Self::Waiting),
            "done" => Ok(Self::Done),
            _ => Err(()),
        }
    }
}

/// A request as it is known here; without a user once it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub state: State,
    pub user: Option<Uuid>,
}

/// What a `gdpr.delete` event leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDelete {
    /// Fence the person off and destroy the identity.
    Fence,
    /// That was done; only the event's place must be known.
    UnderWay,
    /// Whose request it was is forgotten already; the event is one more to be overwritten.
    Over,
    /// Another person has the request with this id.
    Contradiction,
}

impl OnDelete {
    /// Decides by what is known of the request with the event's id.
    pub(crate) fn decide(known: Option<Known>, user: Uuid) -> Self {
        let Some(known) = known else {
            return Self::Fence;
        };
        match known.state {
            State::Scanning | State::Erased => Self::Over,
            _ if known.user != Some(user) => Self::Contradiction,
            State::Planned => Self::Fence,
            State::Fenced | State::Erasing => Self::UnderWay,
        }
    }
}

/// The services that must say that they are done: all that the event's contract names, but us.
pub(crate) fn participants() -> Vec<&'static str> {
    envelope::catalogue::gdpr::DELETE_V1_0
        .consumers
        .iter()
        .map(|consumer| consumer.service)
        .filter(|service| *service != crate::NAME)
        .collect()
}

/// The day by which a request must be done.
pub(crate) fn due_at(requested_at: DateTime<Utc>) -> DateTime<Utc> {
    requested_at + DUE_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Uuid = Uuid::from_u128(1);

    /// What the event for the first user leads to.
    fn decide(state: State, user: Option<Uuid>) -> OnDelete {
        OnDelete::decide(Some(Known { state, user }), USER)
    }

    #[test]
    fn a_request_is_fenced_once_whoever_asked() {
        assert_eq!(OnDelete::decide(None, USER), OnDelete::Fence);
        assert_eq!(decide(State::Planned, Some(USER)), OnDelete::Fence);
        assert_eq!(decide(State::Fenced, Some(USER)), OnDelete::UnderWay);
        assert_eq!(decide(State::Erasing, Some(USER)), OnDelete::UnderWay);
    }

    #[test]
    fn a_repeated_event_begins_nothing_again() {
        assert_eq!(decide(State::Scanning, None), OnDelete::Over);
        assert_eq!(decide(State::Erased, None), OnDelete::Over);
    }

    #[test]
    fn a_request_is_for_one_person() {
        let other = Some(Uuid::from_u128(2));
        assert_eq!(decide(State::Planned, other), OnDelete::Contradiction);
        assert_eq!(decide(State::Erasing, other), OnDelete::Contradiction);
    }

    #[test]
    fn only_the_last_receipt_goes_on() {
        assert_eq!(State::Fenced.with_services_waiting(1), State::Fenced);
        assert_eq!(State::Fenced.with_services_waiting(0), State::Erasing);
        assert_eq!(State::Planned.with_services_waiting(0), State::Planned);
        assert_eq!(State::Erased.with_services_waiting(0), State::Erased);
    }

    #[test]
    fn states_are_read_as_they_are_written() {
        let all = [
            State::Planned,
            State::Fenced,
            State::Erasing,
            State::Scanning,
            State::Erased,
        ];
        for state in all {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    #[test]
    fn all_who_hold_personal_data_must_answer() {
        assert_eq!(
            participants(),
            [
                "tick-api",
                "auth-api",
                "notifier",
                "statistics",
                "admin-api"
            ]
        );
    }
}
