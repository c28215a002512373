//! Takes connections and serves them, within limits: nobody holds them open, or takes them all.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use futures::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::address::{Proxies, network_of};
use super::framing::Framed;
use crate::lifecycle::Lifecycle;

/// Within this the head of a request has to be here, from the end of the one before: so this is also how long a connection
/// may be idle.
const LONGEST_HEAD: Duration = Duration::from_secs(30);
/// The largest head; a request of more than 100 headers is refused by hyper. What is beyond gets 431.
const LARGEST_HEAD: usize = 128 * 1024;
/// A connection that was taken just before the stop has so long to bring its first request: it may be on its way.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// What a process without free file handles waits before it takes the next connection.
const PAUSE: Duration = Duration::from_secs(1);

/// How many connections may be open at once.
#[derive(Clone, Debug)]
pub struct Connections {
    /// In all; who comes then waits.
    pub in_all: usize,
    /// From one address, but for proxies and this machine itself; more are closed at once.
    pub per_address: usize,
    /// Who speaks for many.
    pub proxies: Proxies,
}

/// Serves until requests are to be taken no more, and then until all that are under way are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Connections,
    lifecycle: Lifecycle,
) {
    let (places, open) = (Arc::new(Semaphore::new(limits.in_all)), Open::default());
    let connections = TaskTracker::new();
    let closing = lifecycle.requests.closing();
    // Once for all, so that a connection has only to count a reference.
    let router: Router = router.with_state(());
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            // Whoever is connected already, to the system at least, is served.
            () = closing.cancelled() => match accept(&listener, &places).now_or_never() {
                Some(accepted) => accepted,
                None => break,
            },
        };
        let Some((place, stream, peer)) = accepted else {
            continue;
        };
        let Some(counted) = open.count(peer.ip(), &limits) else {
            continue;
        };
        let (router, lifecycle) = (router.clone(), lifecycle.clone());
        connections.spawn(async move {
            serve_one(stream, peer, router, lifecycle).await;
            drop((counted, place));
        });
    }
    // From now on connecting is refused, and a proxy tries another process at once.
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((place, stream, peer)),
        Err(error) if is_of_one_connection(&error) => None,
        Err(error) => {
            tracing::warn!(%error, "cannot take connections; trying again");
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

/// Whether the client went away before it was taken.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

async fn serve_one(stream: TcpStream, peer: SocketAddr, router: Router, lifecycle: Lifecycle) {
    // A small answer must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let (asked, closing) = (CancellationToken::new(), lifecycle.requests.closing());
    let service = hyper::service::service_fn(|request| {
        asked.cancel();
        answer(&router, peer, request, lifecycle.clone())
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Framed::new(stream)), service);
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = closing.cancelled() => {
            let first = tokio::time::timeout(FIRST_REQUEST, asked.cancelled());
            tokio::select! {
                outcome = connection.as_mut() => outcome,
                _ = first => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
    };
    if let Err(error) = outcome {
        tracing::trace!(%error, "a connection ended");
    }
}

fn answer(
    router: &Router,
    peer: SocketAddr,
    request: Request<Incoming>,
    lifecycle: Lifecycle,
) -> impl Future<Output = Result<axum::response::Response, Infallible>> + use<> {
    let is_coded = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let answering = router.clone().call(request);
    async move {
        let mut response = answering.await?;
        // Where a chunked body ends only the parser knows (see `framing`), so nothing may follow it. And who stops soon is
        // not to be asked again on this connection.
        if is_coded || lifecycle.is_leaving() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        Ok(response)
    }
}

/// How many connections each address has; cheap to clone.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection that is counted while this lives.
struct Counted(Option<(Open, IpAddr)>);

impl Open {
    /// Counts a connection; `None` if its address has enough of them.
    fn count(&self, peer: IpAddr, limits: &Connections) -> Option<Counted> {
        if limits.per_address == 0 || peer.to_canonical().is_loopback() || limits.proxies.hold(peer)
        {
            return Some(Counted(None));
        }
        let network = network_of(peer);
        let mut open = self.lock();
        let count = open.entry(network).or_default();
        if *count >= limits.per_address {
            metrics::counter!("dipper_http_connections_refused_total").increment(1);
            return None;
        }
        *count += 1;
        Some(Counted(Some((self.clone(), network))))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some((open, network)) = &self.0 else {
            return;
        };
        let mut open = open.lock();
        if let Some(count) = open.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                open.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(proxies: &str) -> Connections {
        Connections {
            in_all: 10,
            per_address: 2,
            proxies: proxies.parse().unwrap(),
        }
    }

    #[test]
    fn an_address_has_so_many_connections_and_no_more_until_one_ends() {
        let (open, limits) = (Open::default(), limits(""));
        let peer: IpAddr = "203.0.113.7".parse().unwrap();
        let first = open.count(peer, &limits);
        let _second = open.count(peer, &limits).unwrap();
        assert!(open.count(peer, &limits).is_none());
        assert!(
            open.count("203.0.113.8".parse().unwrap(), &limits)
                .is_some()
        );
        drop(first);
        assert!(open.count(peer, &limits).is_some());
    }

    #[test]
    fn this_machine_and_proxies_speak_for_many() {
        let (open, limits) = (Open::default(), limits("10.0.0.0/8"));
        for peer in ["127.0.0.1", "::1", "10.1.2.3"] {
            let peer: IpAddr = peer.parse().unwrap();
            let many: Vec<_> = (0..5).map(|_| open.count(peer, &limits)).collect();
            assert!(many.iter().all(Option::is_some), "{peer}");
        }
        assert!(open.lock().is_empty());
    }
}
