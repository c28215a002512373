//! The OpenID Connect provider that people may log in with.

use std::net::IpAddr;

use anyhow::{Context as _, bail, ensure};
use axum::http::Uri;

use super::{Secret, Settings};

/// A provider, and how it knows us.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// Its issuer, from which everything else about it is learned.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// The secret that it gave us.
    pub client_secret: Secret,
}

impl Settings {
    /// The provider; none where none is set.
    pub fn oidc(&self) -> anyhow::Result<Option<Oidc>> {
        let (Some(issuer), Some(client_id), Some(file)) = (
            &self.oidc_issuer,
            &self.oidc_client_id,
            &self.oidc_client_secret_file,
        ) else {
            return Ok(None);
        };
        let secret = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read oidc_client_secret_file {}", file.display()))?;
        let secret = secret.trim();
        ensure!(!secret.is_empty(), "oidc_client_secret_file is empty");
        Ok(Some(Oidc {
            issuer: issuer.clone(),
            client_id: client_id.clone(),
            client_secret: Secret::new(secret.to_owned()),
        }))
    }

    pub(super) fn check_oidc(&self) -> anyhow::Result<()> {
        let names = (&self.oidc_client_id, &self.oidc_client_secret_file);
        match (&self.oidc_issuer, names) {
            (None, (None, None)) => Ok(()),
            (Some(issuer), (Some(_), Some(_))) => {
                ensure!(
                    is_out_of_reach(issuer),
                    "configuration: oidc_issuer: must begin with https://, but for one on this machine"
                );
                Ok(())
            }
            _ => bail!(
                "configuration: oidc_issuer, oidc_client_id and oidc_client_secret_file are set together or not at all"
            ),
        }
    }
}

/// Whether nobody on the way can change what comes from there.
fn is_out_of_reach(issuer: &str) -> bool {
    let uri: Uri = issuer.parse().unwrap_or_default();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => is_here(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_says_comes_by_tls_or_from_this_machine() {
        for good in ["https://id.example.org/realm", "http://127.0.0.1:4000"] {
            assert!(is_out_of_reach(good), "{good}");
        }
        for bad in ["http://id.example.org", "id.example.org", "https://", ""] {
            assert!(!is_out_of_reach(bad), "{bad}");
        }
    }

    #[test]
    fn the_secret_is_in_a_file_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "between us\n").unwrap();
        let settings = Settings {
            oidc_issuer: Some("https://id.example.org".to_owned()),
            oidc_client_id: Some("dipper".to_owned()),
            oidc_client_secret_file: Some(file),
            ..Settings::default()
        };
        settings.check_oidc().unwrap();
        let provider = settings.oidc().unwrap().unwrap();
        assert_eq!(provider.client_secret.reveal(), "between us");
        assert!(!format!("{provider:?}").contains("between us"));
        assert!(Settings::default().oidc().unwrap().is_none());
    }
}
