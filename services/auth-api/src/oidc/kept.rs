//! What a browser keeps, sealed in a cookie, while its user logs in with the provider: nothing of it is kept here but that a step
//! has not been taken yet.

use chassis::keys::{Keys, SealingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Seals it: a browser cannot read or change it.
pub(crate) struct Seals(SealingKey);

/// Somebody who went to the provider.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Away {
    /// Their next step: what the provider sends back with them.
    pub(crate) step: Uuid,
    /// What the identity has to name.
    pub(crate) nonce: String,
    /// What proves to the provider that the same log-in goes on.
    pub(crate) verifier: String,
}

/// Somebody who came back.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrived {
    /// Their next step.
    pub(crate) step: Uuid,
    /// A keyed hash of what the provider calls them.
    pub(crate) subject_hash: String,
    /// Their address, if the provider has seen that it is theirs.
    pub(crate) email: Option<String>,
    /// Their name, if the provider told one.
    pub(crate) name: String,
}

/// Each is sealed for a place of its own, so that none stands for the other.
pub(crate) trait Kept: Serialize + DeserializeOwned {
    const PLACE: &'static str;
}

impl Kept for Away {
    const PLACE: &'static str = "away";
}

impl Kept for Arrived {
    const PLACE: &'static str = "arrived";
}

impl Seals {
    /// With the deployment's key.
    pub(crate) fn new(keys: &Keys) -> Self {
        Self(keys.sealing("auth-api oidc"))
    }

    /// As a cookie holds it.
    pub(crate) fn seal<K: Kept>(&self, kept: &K) -> serde_json::Result<String> {
        let plain = serde_json::to_vec(kept)?;
        Ok(hex::encode(self.0.seal(K::PLACE, &plain)))
    }

    /// What a cookie holds, if it is what is expected now.
    pub(crate) fn open<K: Kept>(&self, cookie: &str) -> Option<K> {
        let sealed = hex::decode(cookie).ok()?;
        let plain = self.0.open(K::PLACE, &sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_keeps_opens_here_only_and_for_its_own_step() {
        let folder = tempfile::tempdir().unwrap();
        let seals = Seals::new(&Keys::open(folder.path()).unwrap());
        let away = Away {
            step: Uuid::new_v4(),
            nonce: "once".to_owned(),
            verifier: "ours".to_owned(),
        };
        let cookie = seals.seal(&away).unwrap();
        assert!(!cookie.contains(&hex::encode("once")));
        assert_eq!(seals.open(&cookie), Some(away));
        assert_eq!(seals.open::<Arrived>(&cookie), None);
        let altered = format!("{}00", &cookie[..cookie.len() - 2]);
        for bad in ["", "nothing", altered.as_str()] {
            assert_eq!(seals.open::<Away>(bad), None, "{bad}");
        }
    }
}
