//! Answers have a tag that follows from their bytes, so that who asks again hears only what is new.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chassis::http::Problem;
use sha2::{Digest as _, Sha256};

/// More than any figure takes.
const LARGEST: usize = 1 << 20;

/// The answer with its tag; without its body if the client has it.
pub(crate) async fn tagged(response: Response, known: Option<&HeaderValue>) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, LARGEST).await {
        Ok(bytes) => bytes,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let digest = hex::encode(Sha256::digest(&bytes));
    let tag = format!("\"{}\"", digest.get(..32).unwrap_or(&digest));
    let is_known = known
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| names(known, &tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if is_known {
        return (StatusCode::NOT_MODIFIED, of_no_body(parts.headers)).into_response();
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn of_no_body(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::CONTENT_TYPE);
    headers.remove(header::CONTENT_LENGTH);
    headers
}

/// Whether `If-None-Match` names a tag. Weak tags are as good: RFC 9110, 13.1.2.
fn names(known: &str, tag: &str) -> bool {
    let mut tags = known.split(',').map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_the_answer_is_sent_no_body() {
        let answer = || Body::from("{}").into_response();
        let first = tagged(answer(), None).await;
        let tag = first.headers()[header::ETAG].clone();
        let again = tagged(answer(), Some(&tag)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[header::ETAG], tag);
        let body = to_bytes(again.into_body(), LARGEST).await.unwrap();
        assert_eq!(body.len(), 0);
        let other = tagged(Body::from("[]").into_response(), Some(&tag)).await;
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_problem_has_no_tag() {
        let problem = tagged(Problem::not_found().into_response(), None).await;
        assert_eq!(problem.headers().get(header::ETAG), None);
    }

    #[test]
    fn any_of_several_tags_will_do() {
        for known in ["\"a\"", "\"b\", \"a\"", "W/\"a\"", "*"] {
            assert!(names(known, "\"a\""), "{known}");
        }
        assert!(!names("\"b\", a", "\"a\""));
    }
}
