//! What a handler leaves unread of a request's body.
//!
//! A server that answers and closes while the client still sends makes the client's kernel throw
//! the answer away: instead of "too large" a phone would see a broken connection. So what is left
//! of a body is taken and dropped before the answer goes out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::sync::oneshot;

/// More than the largest picture a phone takes; who sends more than that after the answer is
/// known has to live with a closed connection.
const MOST: usize = 64 * 1024 * 1024;
/// How long the rest of a body is waited for.
const LONGEST: Duration = Duration::from_secs(20);

/// Lets the routes answer, then takes what they left of the body.
pub(super) async fn take(request: Request, next: Next) -> Response {
    // Who asks before sending (RFC 9110, 10.1.1) sends nothing when the answer is a refusal.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let (back, mut rest) = oneshot::channel();
    let request = request.map(|body| {
        Body::new(Lent {
            body,
            back: Some(back),
        })
    });
    let response = next.run(request).await;
    // Whoever was too slow for the answer is not waited for once more.
    let gave_up = matches!(
        response.status(),
        StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE
    );
    if !gave_up && let Ok(rest) = rest.try_recv() {
        // Neither a client that stops sending nor one that never does changes the answer.
        let _ = tokio::time::timeout(LONGEST, discard(rest)).await;
    }
    response
}

async fn discard(mut body: Body) {
    let mut taken = 0;
    while taken < MOST
        && let Some(Ok(frame)) = body.frame().await
    {
        taken += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// A body that comes back when whoever reads it lets it go.
struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(back) = self.back.take() {
            // Nobody waits for it any more when the request was given up.
            let _ = back.send(std::mem::take(&mut self.body));
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use crate::http::{Policy, around, body_within};

    /// Sends a picture of 12 MB to routes that refuse it, and reads what is answered afterwards.
    async fn send_all_then_read(path: &str) -> String {
        const LENGTH: usize = 12_000_000;
        let routes = Router::new()
            .route("/refused", post(async || StatusCode::UNAUTHORIZED))
            .route(
                "/limited",
                post(async |body: Body| body_within(body, 1_000).await.map(|_| ())),
            );
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server =
            tokio::spawn(async { axum::serve(listener, around(routes, &Policy::default())).await });
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {LENGTH}\r\nconnection: close\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        client
            .write_all(&vec![0; LENGTH])
            .await
            .expect("the server takes all of it");
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        server.abort();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn who_sends_too_much_learns_so() {
        assert_eq!(
            send_all_then_read("/limited").await,
            "HTTP/1.1 413 Payload Too Large"
        );
    }

    #[tokio::test]
    async fn who_is_refused_before_the_body_is_read_learns_so() {
        assert_eq!(
            send_all_then_read("/refused").await,
            "HTTP/1.1 401 Unauthorized"
        );
    }

    #[tokio::test]
    async fn an_address_that_is_not_there_says_so_to_an_upload() {
        assert_eq!(
            send_all_then_read("/nowhere").await,
            "HTTP/1.1 404 Not Found"
        );
    }
}
