//! What becomes of an event whose attempt failed.

use std::time::Duration;

use super::attempt::{Attempts, Interruption, Item};
use super::offered::Offered;
use super::parking::{Parking, Status};
use super::{Failure, dead};
use crate::clock::micros;
use crate::fault;

/// After so many attempts a transient failure is taken for a permanent one.
const MOST_ATTEMPTS: i64 = 12;
/// How long after a failure a dependency is asked again.
pub(crate) const PROBE_EVERY: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(super) enum Verdict {
    Parked(Parking),
    Erased,
    /// Given up by somebody, before this generation was built.
    Skipped,
}

impl Attempts {
    /// What becomes of an event whose attempt failed.
    pub(super) async fn judge(
        &self,
        offered: &Offered,
        failure: Failure,
    ) -> Result<Verdict, Interruption> {
        if let Some(built) = &self.built {
            return built.judge(self.lot, offered, failure).await;
        }
        let attempts = offered.attempts + 1;
        let due_in = |wait: Duration| self.database.clock.micros() + micros(wait);
        let parking = match failure {
            Failure::Erased => return Ok(Verdict::Erased),
            Failure::Outage(error) => return Err(error.into()),
            Failure::Dependency(what) => {
                let consumer = self.lot.consumer;
                let user = offered.pseudonym();
                tracing::info!(consumer, user, waiting_for = what, "an event waits");
                Parking {
                    status: Status::Error,
                    reason: "dependency".to_owned(),
                    detail: format!("{what} is away"),
                    dependency: Some(what),
                    // Whoever waits for another has not failed: no attempt is burnt.
                    attempts: offered.attempts,
                    due_at: due_in(PROBE_EVERY),
                }
            }
            Failure::Transient(why) if attempts < MOST_ATTEMPTS => Parking {
                status: Status::Retry,
                reason: "transient".to_owned(),
                detail: why,
                dependency: None,
                attempts,
                due_at: due_in(backoff(attempts)),
            },
            Failure::Transient(why) => return self.give_up(offered, "gave-up", why).await,
            Failure::Poison(why) => return self.give_up(offered, "poison", why).await,
        };
        Ok(Verdict::Parked(parking))
    }

    /// What is no event of ours will never be one.
    pub(super) async fn give_up_unreadable(&self, item: &mut Item) -> Result<(), Interruption> {
        if let Err(unreadable) = &item.offered.decoded {
            let (reason, why) = (unreadable.reason, unreadable.detail.clone());
            item.verdict = Some(self.give_up(&item.offered, reason, why).await?);
        }
        Ok(())
    }

    /// Keeps an event in the stream of dead letters, before anything of it is committed here.
    pub(super) async fn give_up(
        &self,
        offered: &Offered,
        reason: &str,
        why: String,
    ) -> Result<Verdict, Interruption> {
        let parking = Parking::failed(offered.attempts + 1, reason, why);
        if let Some(built) = &self.built {
            return built.give_up(self.lot, offered, parking).await;
        }
        let why = (reason, parking.detail.as_str());
        if !fault::is("no-dead-letter") {
            dead::bury(&self.bus, self.lot, offered, why)
                .await
                .map_err(|error| Interruption::Broker(error.to_string()))?;
        }
        Ok(Verdict::Parked(parking))
    }
}

/// Doubling from 200 ms to 30 s, with up to a quarter of jitter so that retries do not march in step.
pub(crate) fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 9) - 1).unwrap_or_default();
    let base = Duration::from_millis(200 * 2_u64.pow(doublings)).min(Duration::from_secs(30));
    base + base.mul_f64(rand::random::<f64>() / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_come_later_and_later_up_to_half_a_minute() {
        assert!(backoff(1) < Duration::from_millis(251));
        assert!(backoff(4) >= Duration::from_millis(1600));
        assert!(backoff(1000) <= Duration::from_secs(38));
    }
}
