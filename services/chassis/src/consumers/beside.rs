//! Another generation of a service's database beside the live one: what the live workers do for it,
//! and what is different in it. Effects are off there: nothing is published from it, not even a dead
//! letter.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::Failure;
use super::attempt::{Attempts, Interruption, Item, Source};
use super::offered::Offered;
use super::parking::{Lot, Parking};
use super::verdict::Verdict;
use crate::database::Database;

/// Where the live workers find the generation that is being built. They hold it while they handle a
/// batch; whoever takes it alone has them wait.
#[derive(Clone, Default)]
pub(crate) struct Aside(Arc<RwLock<Option<Attempts>>>);

/// The live workers wait until this is dropped.
pub(crate) type Alone = OwnedRwLockWriteGuard<Option<Attempts>>;

impl Aside {
    /// Waits for the batches that are being handled; no other begins.
    pub async fn alone(&self) -> Alone {
        Arc::clone(&self.0).write_owned().await
    }
}

impl Attempts {
    /// Lets a batch begin, after the generation that is being built has done what it must do first:
    /// who is erased is gone there before the receipt goes out here.
    pub(super) async fn admit(
        &self,
        items: &[Item],
    ) -> Result<OwnedRwLockReadGuard<Option<Self>>, Interruption> {
        let admitted = Arc::clone(&self.aside.0).read_owned().await;
        let erasures: Vec<Item> = items
            .iter()
            .filter(|item| item.offered.name() == Some(("gdpr", "delete")))
            .map(|item| Item::new(item.offered.clone(), item.stored_at))
            .collect();
        if let Some(built) = &*admitted
            && !erasures.is_empty()
        {
            let built = Self {
                lot: self.lot,
                ..built.clone()
            };
            // It counts them once more when it comes to them by itself, as repeated.
            let outcome = Box::pin(built.handle(erasures, Source::Shared)).await?;
            if outcome.parked > 0 {
                let why = "an erasure failed in the generation that is being built; cancel it";
                return Err(Interruption::Built(why.to_owned()));
            }
            built.database.scrub().await?;
        }
        Ok(admitted)
    }
}

/// Attempts in a generation that is being built: beside this one.
#[derive(Clone)]
pub(crate) struct Built {
    pub live: Database,
}

impl Built {
    /// What becomes of an event whose attempt failed. Nothing is tried again later: what may work
    /// another time ends the building.
    pub(super) async fn judge(
        &self,
        lot: Lot,
        offered: &Offered,
        failure: Failure,
    ) -> Result<Verdict, Interruption> {
        let (reason, why) = match failure {
            Failure::Erased => return Ok(Verdict::Erased),
            Failure::Outage(error) => return Err(error.into()),
            Failure::Poison(why) => ("poison", why),
            Failure::Dependency(why) | Failure::Transient(why) => {
                // What failed for good there need not work here.
                if !lot.holds(&mut self.live.read().await?, offered).await? {
                    return Err(Interruption::Built(why));
                }
                ("gave-up", why)
            }
        };
        let parking = Parking::failed(offered.attempts + 1, reason, why);
        self.give_up(lot, offered, parking).await
    }

    /// What fails here and is not parked there was given up there by somebody's decision.
    pub(super) async fn give_up(
        &self,
        lot: Lot,
        offered: &Offered,
        parking: Parking,
    ) -> Result<Verdict, Interruption> {
        let is_parked = lot.holds(&mut self.live.read().await?, offered).await?;
        Ok(if is_parked {
            Verdict::Parked(parking)
        } else {
            Verdict::Skipped
        })
    }
}
