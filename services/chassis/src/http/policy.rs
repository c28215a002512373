//! What a deployment lets in, and what it tells browsers about itself.

use axum::http::{HeaderValue, Method, header};
use tower_http::cors::CorsLayer;

use super::limits::Limits;
use super::{Connections, Proxies};
use crate::settings::Settings;

/// A year: long enough for browsers to keep lists of such sites, by which they never ask without TLS.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// So long a browser remembers what an app's origin may do.
const PREFLIGHT_LIFE: std::time::Duration = std::time::Duration::from_mins(10);

/// What is told and allowed around all routes; cheap to clone.
#[derive(Clone)]
pub struct Policy {
    /// `Strict-Transport-Security`, where the deployment is reached by TLS.
    pub(super) strict_transport: Option<HeaderValue>,
    /// Apps on other origins.
    pub(super) apps: Option<CorsLayer>,
    pub(super) proxies: Proxies,
    pub(super) limits: Limits,
}

impl Policy {
    /// As it is set, for a deployment that is reached at this address.
    pub fn new(settings: &Settings, public_url: &str) -> Result<Self, String> {
        let uses_tls = public_url.starts_with("https://");
        Ok(Self {
            strict_transport: uses_tls.then_some(STRICT_TRANSPORT),
            apps: apps(&settings.cors_origins)?,
            proxies: settings.trusted_proxies.parse()?,
            limits: Limits::new(&settings.limit),
        })
    }

    /// How many connections may be open at once.
    pub fn connections(&self, settings: &Settings) -> Connections {
        Connections {
            in_all: settings.connections,
            per_address: settings.connections_per_address,
            proxies: self.proxies.clone(),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            strict_transport: None,
            apps: None,
            proxies: Proxies::default(),
            limits: Limits::new(&std::collections::BTreeMap::new()),
        }
    }
}

/// What apps on other origins may do: everything that needs no cookie. `None` if there are no such apps.
fn apps(origins: &str) -> Result<Option<CorsLayer>, String> {
    let origins = origins.split(',').map(str::trim);
    let origins: Vec<HeaderValue> = origins
        .filter(|origin| !origin.is_empty())
        .map(origin)
        .collect::<Result<_, _>>()?;
    if origins.is_empty() {
        return Ok(None);
    }
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([header::LOCATION, header::RETRY_AFTER])
        .max_age(PREFLIGHT_LIFE);
    Ok(Some(layer))
}

/// An origin as browsers write it: `null` is anybody's, and a star is everybody's.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || format!("{text:?} is no origin; write it like https://app.example.org");
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or_else(wrong)?;
    let is_host = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.:[]".contains(letter)
    };
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_whole_and_of_somebody() {
        assert!(apps("").unwrap().is_none());
        assert!(
            apps("https://app.example.org, http://localhost:5173")
                .unwrap()
                .is_some()
        );
        for wrong in [
            "null",
            "*",
            "app.example.org",
            "https://app.example.org/",
            "https://*.example.org",
            "https://",
        ] {
            assert!(apps(wrong).is_err(), "{wrong}");
        }
    }
}
