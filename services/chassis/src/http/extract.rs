//! Extractors that answer bad input with a problem document.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{FieldError, Problem};

/// No JSON body of the API comes near this.
const LARGEST_JSON: usize = 64 * 1024;
/// Within this a body has to be here: shorter than a request may take, so that whoever is slow
/// learns that it was the body.
const LONGEST_BODY: Duration = Duration::from_secs(50);

/// A JSON body, as an argument or as an answer.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_plain_json(request.headers()) {
            let detail = "Send JSON with Content-Type: application/json, not compressed.";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                detail,
            ));
        }
        let bytes = body_within(request.into_body(), LARGEST_JSON).await?;
        parse(&bytes).map(Self)
    }
}

/// Compressed bodies are not taken: what they hold would be known only once they are unpacked.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let is_ours = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| is_json(value.trim()));
    is_ours && !headers.contains_key(header::CONTENT_ENCODING)
}

/// Also a merge patch (RFC 7386) by its own name.
fn is_json(media_type: &str) -> bool {
    let names = ["application/json", "application/merge-patch+json"];
    names
        .iter()
        .any(|name| media_type.eq_ignore_ascii_case(name))
}

/// Reads a body up to a limit in bytes; 413 beyond it, 408 if it does not come.
pub async fn body_within(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let reading = tokio::time::timeout(LONGEST_BODY, Limited::new(body, limit).collect());
    let Ok(read) = reading.await else {
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            "The body did not come in time; nothing was changed.",
        ));
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("The body may have at most {limit} bytes.");
            Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                detail,
            ))
        }
        Err(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "incomplete",
            "The body ended too early.",
        )),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut source);
    // A value is refused at the first thing that is wrong with it; that the text goes on as JSON
    // is known only after reading it to its end.
    let whole = match parsed {
        Ok(_) => source.end().is_ok(),
        Err(_) => serde_json::from_slice::<IgnoredAny>(bytes).is_ok(),
    };
    if !whole {
        return Err(malformed());
    }
    // serde would also take a list of the fields' values, in their order.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::field("", "a JSON object is expected"));
    }
    parsed.map_err(|error| {
        let pointer = pointer(error.path());
        Problem::fields(vec![wrong_field(pointer, error.inner())])
    })
}

fn malformed() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed-json",
        "The body is not valid JSON.",
    )
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .fold(String::new(), |pointer, segment| match segment {
            Segment::Map { key } => step(&pointer, key),
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        })
}

/// One step down by a name, as RFC 6901 writes it.
fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// serde points at the object that misses a field or has one too many; a client wants the field.
fn wrong_field(pointer: String, error: &serde_json::Error) -> FieldError {
    let text = error.to_string();
    let detail = text
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    let named = ["missing field `", "unknown field `"]
        .iter()
        .find_map(|front| {
            detail
                .strip_prefix(front)
                .and_then(|rest| rest.split_once('`'))
                .map(|(name, _)| name)
        });
    match named {
        Some(name) if !pointer.ends_with(&step("", name)) => {
            FieldError::new(step(&pointer, name), detail)
        }
        _ => FieldError::new(pointer, detail),
    }
}

/// A typed part of the path; one that cannot be is an address where nothing is.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Problem::not_found())
    }
}

/// Typed query parameters.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| wrong_parameter(&error))
    }
}

/// The library says `Failed to deserialize query string: limit: invalid digit ...`.
fn wrong_parameter(error: &QueryRejection) -> Problem {
    let text = error.body_text();
    let message = text
        .split_once(": ")
        .map_or(text.as_str(), |(_, rest)| rest);
    let quoted = message.split('`').nth(1);
    let (name, detail) = match (message.split_once(": "), quoted) {
        (Some((name, detail)), _) if !name.contains(' ') => (name, detail),
        (_, Some(name)) => (name, message),
        _ => ("", message),
    };
    Problem::field(&format!("/{name}"), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its type matters here")]
        image: Inner,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters here")]
        url: String,
    }

    fn refused(body: &str) -> serde_json::Value {
        serde_json::to_value(parse::<Outer>(body.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn a_wrong_field_is_pointed_at() {
        for (body, pointer) in [
            (r#"{"image": {"url": 5}}"#, "/image/url"),
            (r#"{"image": {}}"#, "/image/url"),
            (r#"{"image": {"url": "x", "size": 1}}"#, "/image/size"),
            (r#"{"image": {"url": "x"}, "a/b": 1}"#, "/a~1b"),
            ("{}", "/image"),
            (r#"[{"url": "x"}]"#, ""),
            ("5", ""),
        ] {
            let problem = refused(body);
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body} {problem}");
            assert_eq!(problem["status"], 422);
        }
    }

    #[test]
    fn what_is_no_json_is_a_bad_request() {
        for body in ["", "{", "[1,", r#"{"image": {"url": "x"}} more"#, "\u{0}"] {
            assert_eq!(refused(body)["status"], 400, "{body:?}");
        }
    }
}
