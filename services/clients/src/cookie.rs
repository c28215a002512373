//! The cookie that keeps a browser's session out of reach of scripts, and whether a page of ours sent a request with it.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use chassis::http::Problem;

use crate::token::cookie;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// How a deployment names the cookie of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCookie {
    /// `__Host-session`: no other host may set it, and no connection carries it that could be read on the way. Where pages come
    /// by TLS, or do not leave the machine.
    Locked,
    /// `session`: what is left where pages come in clear text.
    Plain,
}

impl SessionCookie {
    /// That of a deployment whose pages are at this address.
    pub fn of(public_url: &str) -> Self {
        let uri = public_url.parse::<Uri>().unwrap_or_default();
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_here = host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if is_here || uri.scheme_str() == Some("https") {
            Self::Locked
        } else {
            Self::Plain
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Locked => "__Host-session",
            Self::Plain => "session",
        }
    }

    /// The `Set-Cookie` that gives a browser a token to keep for so many seconds.
    pub fn keep(self, token: &str, seconds: i64) -> String {
        self.set(self.name(), token, seconds, "Strict")
    }

    /// The name of the cookie of a log-in that goes on elsewhere: at a provider.
    pub const fn name_away(self) -> &'static str {
        match self {
            Self::Locked => "__Host-log-in",
            Self::Plain => "log-in",
        }
    }

    /// The `Set-Cookie` that keeps a log-in for so many seconds: it is there when the provider sends the browser back.
    pub fn keep_away(self, value: &str, seconds: i64) -> String {
        self.set(self.name_away(), value, seconds, "Lax")
    }

    /// The log-in that goes on elsewhere; nothing where there is none.
    pub fn away(self, headers: &HeaderMap) -> Result<Option<&str>, Problem> {
        Ok(cookie(headers, self.name_away())?)
    }

    fn set(self, name: &str, value: &str, seconds: i64, same_site: &str) -> String {
        let secure = match self {
            Self::Locked => "; Secure",
            Self::Plain => "",
        };
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}")
    }

    /// The `Set-Cookie` that takes it away.
    pub fn clear(self) -> String {
        self.keep("", 0)
    }

    /// The token in it; nothing where there is no such cookie.
    pub fn token(self, headers: &HeaderMap) -> Result<Option<&str>, Problem> {
        Ok(cookie(headers, self.name())?)
    }
}

/// Demands that a page of this origin sent the request, by what its browser says of it: others can have the browser send the
/// cookie along, and cannot change these headers.
pub fn require_same_origin(parts: &Parts) -> Result<(), Problem> {
    let text = |name: &str| parts.headers.get(name)?.to_str().ok();
    let is_ours = if let Some(site) = text(SEC_FETCH_SITE) {
        site == "same-origin"
    } else {
        // Browsers say so to addresses only that they trust.
        let origin = text(header::ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
        let host = text(header::HOST.as_str());
        let host = host.or_else(|| parts.uri.authority().map(Authority::as_str));
        matches!((origin, host), (Some((_, from)), Some(to)) if from.eq_ignore_ascii_case(to))
    };
    if is_ours {
        Ok(())
    } else {
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "cross-origin",
            "A cookie is taken from pages of this origin only; others send the token as `Authorization: Bearer TOKEN`.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::post("/api/v1/ticks");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_cookie_is_locked_wherever_browsers_allow_it() {
        for url in [
            "https://birds.example",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost",
        ] {
            assert_eq!(SessionCookie::of(url), SessionCookie::Locked, "{url}");
        }
        for url in ["http://birds.example", "http://192.168.1.2:8080", "", "?"] {
            assert_eq!(SessionCookie::of(url), SessionCookie::Plain, "{url}");
        }
        assert_eq!(
            SessionCookie::Locked.keep("abc", 60),
            "__Host-session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
        );
    }

    #[test]
    fn the_token_is_found_among_other_cookies_and_under_its_own_name_only() {
        let found = |headers: &[(&str, &str)]| {
            let parts = parts(headers);
            let token = SessionCookie::Locked.token(&parts.headers);
            token.map(|token| token.map(str::to_owned)).ok()
        };
        assert_eq!(found(&[]), Some(None));
        assert_eq!(found(&[("cookie", "session=abc; theme=dark")]), Some(None));
        let one = ("cookie", "theme=dark; __Host-session=abc");
        assert_eq!(found(&[one]), Some(Some("abc".to_owned())));
        assert_eq!(found(&[one, ("cookie", "__Host-session=def")]), None);
        let twice = ("cookie", "__Host-session=abc; __Host-session=abc");
        assert_eq!(found(&[twice]), None);
    }

    #[test]
    fn only_pages_of_this_origin_change_something_with_a_cookie() {
        let host = ("host", "birds.example:8443");
        let cases: [(&[(&str, &str)], bool); 10] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[host, ("origin", "https://birds.example:8443")], true),
            (&[host, ("origin", "https://birds.example")], false),
            (&[host, ("origin", "https://evil.example")], false),
            (&[host, ("origin", "null")], false),
            (&[host], false),
            // What the browser says of the site counts more than what looks alike.
            (
                &[
                    host,
                    ("origin", "https://birds.example:8443"),
                    ("sec-fetch-site", "cross-site"),
                ],
                false,
            ),
        ];
        for (headers, is_ours) in cases {
            let answer = require_same_origin(&parts(headers));
            assert_eq!(answer.is_ok(), is_ours, "{headers:?}");
        }
    }
}
