//! What clients know: which operations they tried, and which were accepted.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

/// The operations of one kind.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    /// Sent at least once.
    pub tried: HashSet<Uuid>,
    /// Answered with success.
    pub accepted: HashSet<Uuid>,
    /// Those of each client that were accepted, one after the other.
    pub in_order: Vec<Vec<Uuid>>,
}

impl Operations {
    /// Operations that were all accepted.
    pub fn accepted(ids: impl IntoIterator<Item = Uuid>) -> Self {
        let accepted: HashSet<Uuid> = ids.into_iter().collect();
        Self {
            tried: accepted.clone(),
            accepted,
            in_order: Vec::new(),
        }
    }
}

/// The log that the clients of a run share; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ClientLog(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    operations: Operations,
    complaints: Vec<String>,
    failed: usize,
}

impl ClientLog {
    /// An operation is about to be sent.
    pub fn tries(&self, id: Uuid) {
        self.with(|log| log.operations.tried.insert(id));
    }

    /// An operation was answered with success.
    pub fn accepted(&self, id: Uuid) {
        self.with(|log| log.operations.accepted.insert(id));
    }

    /// What one client did, in its order.
    pub fn client_ended(&self, accepted: Vec<Uuid>) {
        self.with(|log| log.operations.in_order.push(accepted));
    }

    /// These were lost in the midst and come back at the end: there they are in order among their like.
    pub fn come_back(&self, lost: &HashSet<Uuid>) {
        self.with(|log| {
            let (kept, back): (Vec<_>, Vec<_>) = std::mem::take(&mut log.operations.in_order)
                .into_iter()
                .map(|client| client.into_iter().partition(|id| !lost.contains(id)))
                .unzip();
            log.operations.in_order.extend(kept.into_iter().chain(back));
        });
    }

    /// An answer that no client should get.
    pub fn complain(&self, what: String) {
        self.with(|log| log.complaints.push(what));
    }

    /// A request got no answer, or one that says that the fault is the system's.
    pub fn fails(&self) {
        self.with(|log| log.failed += 1);
    }

    /// How many requests failed so far.
    pub fn failed(&self) -> usize {
        self.with(|log| log.failed)
    }

    /// How many were accepted so far.
    pub fn count(&self) -> usize {
        self.with(|log| log.operations.accepted.len())
    }

    /// All that is known, and the answers that no client should have got.
    pub fn read(&self) -> (Operations, Vec<String>) {
        self.with(|log| (log.operations.clone(), log.complaints.clone()))
    }

    /// Takes over what other clients know.
    pub fn extend(&self, other: &Self) {
        let (operations, complaints) = other.read();
        self.with(|log| {
            log.operations.tried.extend(operations.tried);
            log.operations.accepted.extend(operations.accepted);
            log.operations.in_order.extend(operations.in_order);
            log.complaints.extend(complaints);
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
