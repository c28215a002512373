//! A broker that takes messages and never says what became of them: after an error of its disk a
//! nats-server goes on so until it is started again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Timeouts over so long, and no answer in between, are no mere delay.
const SILENT_AFTER: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// By entity: the first and the last message without an answer since the last one that had one.
/// One for the process: who supervises the server asks for what all its connections have seen.
static UNANSWERED: Mutex<Option<HashMap<String, (Instant, Instant)>>> = Mutex::new(None);

/// The broker has stored a message.
pub(super) fn answered(subject: &str) {
    with(|unanswered| unanswered.remove(entity(subject)));
}

/// The broker has not answered in time, though it is connected.
pub(super) fn unanswered(subject: &str) {
    let now = Instant::now();
    with(|unanswered| {
        let known = unanswered.entry(entity(subject).to_owned());
        known.or_insert((now, now)).1 = now;
    });
}

/// Ends when the broker has been silent for long; then it begins to count anew.
pub(crate) async fn noticed() {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let is_silent = with(|unanswered| {
            let mut all = unanswered.values();
            let is_silent = all.any(|(first, last)| *last - *first >= SILENT_AFTER);
            if is_silent {
                unanswered.clear();
            }
            is_silent
        });
        if is_silent {
            tracing::error!("the broker does not answer any more; is its disk full?");
            return;
        }
    }
}

fn entity(subject: &str) -> &str {
    subject.split('.').next().unwrap_or_default()
}

fn with<T>(change: impl FnOnce(&mut HashMap<String, (Instant, Instant)>) -> T) -> T {
    let mut unanswered = UNANSWERED.lock().unwrap_or_else(PoisonError::into_inner);
    change(unanswered.get_or_insert_default())
}
