//! The logins of a broker, as they are written down for programs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::permissions::{Permissions, authorization};
use crate::bus::{Access, Tls};
use crate::clock::Clock;

/// What is written to `credentials.json` for programs that speak to the broker directly.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    /// `nats://127.0.0.1:PORT`.
    pub url: String,
    /// A login per service, and those of `setup` and `operator`.
    pub users: BTreeMap<String, Login>,
}

/// One login.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.user)
    }
}

impl Credentials {
    /// Reads a credentials file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// A login with a new password for whoever is permitted anything.
    pub fn new(url: String, permissions: &[Permissions]) -> Self {
        let clock = Clock::default();
        let login = |one: &Permissions| Login {
            user: one.login.clone(),
            password: clock.secret(),
        };
        Self {
            url,
            users: permissions
                .iter()
                .map(|one| (one.login.clone(), login(one)))
                .collect(),
        }
    }

    /// The section of a server's configuration that lets these users in, each with what it is permitted.
    pub fn authorization(&self, permissions: &[Permissions]) -> String {
        let known = permissions
            .iter()
            .filter_map(|one| Some((one, format!("\"{}\"", self.users.get(&one.login)?.password))));
        authorization(known)
    }

    /// The way to the broker as one user.
    pub fn access(&self, user: &str) -> Access {
        let login = self
            .users
            .get(user)
            .map(|login| (login.user.clone(), login.password.clone()));
        Access {
            url: self.url.clone(),
            login,
            tls: Tls::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_show() {
        let permissions = [Permissions::all("setup")];
        let credentials = Credentials::new("nats://127.0.0.1:4222".to_owned(), &permissions);
        let password = &credentials.users["setup"].password;
        assert!(!format!("{credentials:?}").contains(password));
        assert!(credentials.authorization(&permissions).contains(password));
    }
}
