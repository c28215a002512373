//! Whose photos may be scored: UserAPI knows who objects.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chassis::bus::Bus;
use chassis::consumers::Failure;
use chassis::rpc::ask;
use clients::user::MayScore;
use envelope::UserId;

/// Who ticks, ticks again soon.
const REMEMBER: Duration = Duration::from_secs(5);
const MOST_REMEMBERED: usize = 10_000;

/// Who did not object a moment ago; cheap to clone. That somebody does is asked each time: it is rare, and a photo that
/// is passed over after they changed their mind would never get a score.
#[derive(Clone, Debug)]
pub(crate) struct Permissions {
    bus: Bus,
    allowed: Arc<Mutex<HashMap<UserId, Instant>>>,
}

impl Permissions {
    /// Nothing is known yet.
    pub(crate) fn new(bus: Bus) -> Self {
        let allowed = Arc::default();
        Self { bus, allowed }
    }

    /// Refuses photos of who does not want them scored; to their deliveries it is as if they were gone.
    pub(crate) async fn require(&self, owner: UserId) -> Result<(), Failure> {
        if self.is_remembered(owner) {
            return Ok(());
        }
        let may = ask(&self.bus, &MayScore { user: owner }).await;
        let may = may.map_err(|error| Failure::Dependency(error.to_string()))?;
        if !may {
            return Err(Failure::Erased);
        }
        let mut allowed = self.lock();
        if allowed.len() >= MOST_REMEMBERED {
            allowed.retain(|_, since| since.elapsed() < REMEMBER);
        }
        allowed.insert(owner, Instant::now());
        Ok(())
    }

    fn is_remembered(&self, owner: UserId) -> bool {
        let allowed = self.lock();
        allowed
            .get(&owner)
            .is_some_and(|since| since.elapsed() < REMEMBER)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Instant>> {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
