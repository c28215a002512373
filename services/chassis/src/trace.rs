//! W3C trace context: what a client's request set off, from its answer to the last effect. The
//! trace is carried by the events themselves.

pub mod export;
mod parent;
pub mod spans;

use std::future::Future;

pub use parent::{BadTraceParent, TraceParent};

tokio::task_local! {
    static CURRENT: TraceParent;
}

/// Where the code that asks is in a trace, if it is in one.
pub fn current() -> Option<TraceParent> {
    CURRENT.try_with(|current| *current).ok()
}

/// Runs something at a place in a trace.
pub async fn within<F: Future>(place: TraceParent, work: F) -> F::Output {
    CURRENT.scope(place, work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_runs_within_a_trace_knows_its_place() {
        let place = TraceParent::root();
        assert_eq!(within(place, async { current() }).await, Some(place));
        assert_eq!(current(), None);
    }
}
