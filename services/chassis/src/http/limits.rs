//! How often somebody may do something: by network address before anything is looked at, and by account once it is known
//! whose token it is. In memory, per process; who asks is known by a keyed hash only.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::Method;
use axum::http::request::Parts;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use uuid::Uuid;

use super::Problem;
use super::address::ClientAddress;
use crate::settings::Rate;
use crate::telemetry::pseudonym;

/// After so many requests those who have not asked for a while are forgotten.
const SWEEP_EVERY: usize = 10_000;
/// So often logs tell of an account that comes too often.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// One network address.
    Address,
    /// One account, whichever of its tokens is sent.
    Account,
}

/// Something that may be done only so often.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The setting is `DIPPER_LIMIT_<NAME>`.
    pub name: &'static str,
    /// Whose requests are counted together.
    pub by: By,
    /// How many in how many seconds, unless the setting says otherwise.
    pub usual: (u32, u64),
    /// What counts: methods and patterns of routes.
    pub routes: &'static [(Method, &'static str)],
}

const LOG_IN: &[(Method, &str)] = &[
    (Method::POST, "/api/v1/auth/login"),
    (Method::POST, "/api/v1/auth/reauthenticate"),
    (Method::GET, "/api/v1/auth/oidc/start"),
    (Method::POST, "/api/v1/auth/oidc/session"),
];
/// What has a mail sent to whatever address is named.
const REGISTER: &[(Method, &str)] = &[
    (Method::POST, "/api/v1/auth/register"),
    (Method::POST, "/api/v1/auth/password/reset"),
];
const UPLOAD: &[(Method, &str)] = &[(Method::POST, "/api/v1/images")];
const RATE: &[(Method, &str)] = &[
    (Method::PUT, "/api/v1/images/{id}/rating"),
    (Method::DELETE, "/api/v1/images/{id}/rating"),
];
const SEARCH: &[(Method, &str)] = &[
    (Method::GET, "/api/v1/species"),
    (Method::POST, "/api/v1/admin/users/search"),
];
const ERASE: &[(Method, &str)] = &[
    (Method::POST, "/api/v1/gdpr/delete"),
    (Method::POST, "/api/v1/gdpr/code"),
    (Method::POST, "/api/v1/gdpr/export"),
];

/// All limits. Nobody who watches birds comes near them; programs that guess, flood or pretend to be many do.
pub const LIMITS: &[Limit] = &[
    limit("login", By::Address, (60, 60), LOG_IN),
    limit("registration", By::Address, (30, 60), REGISTER),
    limit("uploads", By::Account, (120, 60), UPLOAD),
    limit("uploads_per_address", By::Address, (600, 60), UPLOAD),
    limit("ratings", By::Account, (300, 60), RATE),
    limit("ratings_per_address", By::Address, (600, 60), RATE),
    limit("search", By::Address, (600, 60), SEARCH),
    limit("erasure", By::Account, (20, 600), ERASE),
    limit("erasure_per_address", By::Address, (60, 600), ERASE),
];

const fn limit(
    name: &'static str,
    by: By,
    usual: (u32, u64),
    routes: &'static [(Method, &'static str)],
) -> Limit {
    Limit {
        name,
        by,
        usual,
        routes,
    }
}

/// Counts requests; cheap to clone.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    key: RandomState,
    /// A flood of requests is not to be a flood of log lines.
    told: Option<Counter>,
    /// Beside [`LIMITS`].
    counters: Vec<Option<Counter>>,
}

struct Counter {
    limiter: DefaultKeyedRateLimiter<u64>,
    asked: AtomicUsize,
}

impl Limits {
    /// The limits as they are set, by name.
    pub fn new(settings: &BTreeMap<String, Rate>) -> Self {
        let counters = LIMITS.iter().map(|limit| {
            let (count, seconds) = limit.usual;
            let usual = Rate::new(count, Duration::from_secs(seconds));
            Counter::new(*settings.get(limit.name).unwrap_or(&usual))
        });
        Self(Arc::new(Inner {
            key: RandomState::new(),
            told: Counter::new(Rate::new(1, TELL_EVERY)),
            counters: counters.collect(),
        }))
    }

    /// Counts a request by the address that it comes from. Its account is to be counted by what is returned.
    pub(super) fn count_address(
        &self,
        method: &Method,
        route: &str,
        address: ClientAddress,
    ) -> Result<Option<AccountLimits>, Problem> {
        let mut of_account = Vec::new();
        for (place, limit) in LIMITS.iter().enumerate() {
            let is_meant = |(of, path): &(Method, &str)| of == method && *path == route;
            match limit.by {
                _ if !limit.routes.iter().any(is_meant) => {}
                By::Address => self.count(place, address.network())?,
                By::Account => of_account.push(place),
            }
        }
        Ok((!of_account.is_empty()).then(|| AccountLimits(self.clone(), of_account)))
    }

    fn count_account(&self, place: usize, account: Uuid) -> Result<(), Problem> {
        let counted = self.count(place, account);
        let told = self.0.told.as_ref();
        if counted.is_err()
            && told.is_some_and(|told| told.count(self.0.key.hash_one((place, account))).is_ok())
        {
            let (limit, user) = (name(place), pseudonym(account));
            tracing::info!(limit, user, "somebody comes too often");
        }
        counted
    }

    fn count(&self, place: usize, who: impl Hash) -> Result<(), Problem> {
        let Some(Some(counter)) = self.0.counters.get(place) else {
            return Ok(());
        };
        counter.count(self.0.key.hash_one(who)).map_err(|wait| {
            metrics::counter!("dipper_http_limited_total", "limit" => name(place)).increment(1);
            Problem::too_many_requests(wait)
        })
    }
}

fn name(place: usize) -> &'static str {
    LIMITS.get(place).map_or("", |limit| limit.name)
}

impl Counter {
    fn new(rate: Rate) -> Option<Self> {
        let count = NonZeroU32::new(rate.count)?;
        let quota = Quota::with_period(rate.time / rate.count)?.allow_burst(count);
        Some(Self {
            limiter: RateLimiter::keyed(quota),
            asked: AtomicUsize::new(0),
        })
    }

    fn count(&self, who: u64) -> Result<(), Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(&who)
            .map_err(|refused| refused.wait_time_from(DefaultClock::default().now()))
    }
}

/// What an account's request still has to be counted by, once it is known whose it is.
#[derive(Clone)]
pub(super) struct AccountLimits(Limits, Vec<usize>);

/// Counts a request by the account that it was made for; whoever reads its token calls this.
pub fn count_account(request: &Parts, account: Uuid) -> Result<(), Problem> {
    let Some(AccountLimits(limits, places)) = request.extensions.get() else {
        return Ok(());
    };
    places
        .iter()
        .try_for_each(|place| limits.count_account(*place, account))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    const ROUTE: &str = "/api/v1/images/{id}/rating";

    fn limits(settings: &[(&str, &str)]) -> Limits {
        let settings = settings
            .iter()
            .map(|(name, rate)| ((*name).to_owned(), rate.parse().unwrap()));
        Limits::new(&settings.collect())
    }

    fn address(text: &str) -> ClientAddress {
        ClientAddress(text.parse().unwrap())
    }

    #[test]
    fn an_address_that_asks_too_often_is_told_when_to_try_again() {
        let limits = limits(&[("ratings_per_address", "2/60s")]);
        let count = |from| limits.count_address(&Method::PUT, ROUTE, address(from));
        assert!(count("203.0.113.7").is_ok() && count("203.0.113.7").is_ok());
        let refused = count("203.0.113.7").err().unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(count("203.0.113.8").is_ok(), "others are not");
        let reading = limits.count_address(&Method::GET, ROUTE, address("203.0.113.7"));
        assert!(reading.is_ok_and(|account| account.is_none()));
    }

    #[test]
    fn an_account_is_counted_wherever_it_asks_from() {
        let limits = limits(&[("ratings", "2/60s")]);
        let (ada, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let count = |from, account| {
            let of_account = limits.count_address(&Method::PUT, ROUTE, address(from));
            let mut request = axum::http::Request::new(()).into_parts().0;
            request.extensions.insert(of_account.unwrap().unwrap());
            count_account(&request, account)
        };
        assert!(count("203.0.113.7", ada).is_ok() && count("203.0.113.8", ada).is_ok());
        assert!(count("203.0.113.9", ada).is_err());
        assert!(count("203.0.113.9", bob).is_ok());
    }

    #[test]
    fn a_limit_can_be_switched_off() {
        let limits = limits(&[("ratings_per_address", "off")]);
        for _ in 0..10_000 {
            let counted = limits.count_address(&Method::PUT, ROUTE, address("203.0.113.7"));
            assert!(counted.is_ok());
        }
    }
}
