//! Hashing passwords (Argon2id, 19 MiB, two passes) off the async threads, a few at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use chassis::clock::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Each hash takes a core and 19 MiB for some milliseconds.
const AT_ONCE: usize = 2;

/// Hashes and verifies passwords; cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    places: Arc<Semaphore>,
    /// A hash that no password has, verified where there is no account: it takes the same time.
    decoy: Arc<str>,
}

/// A place among those who may hash now.
pub(crate) type Place = OwnedSemaphorePermit;

/// A password could not be hashed at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashingError {
    #[error("Argon2: {0}")]
    Argon2(#[from] argon2::Error),
    #[error("password hash: {0}")]
    Hash(#[from] argon2::password_hash::Error),
    #[error("the hashing thread died")]
    Died,
}

impl Passwords {
    /// Hashes a secret that nobody knows as the decoy.
    pub(crate) async fn new(clock: &Clock) -> Result<Self, HashingError> {
        let secret = clock.secret();
        let decoy = tokio::task::spawn_blocking(move || hash(&secret))
            .await
            .map_err(|_| HashingError::Died)??;
        Ok(Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            decoy: decoy.into(),
        })
    }

    /// Waits for one's turn.
    pub(crate) async fn place(&self) -> Result<Place, HashingError> {
        let permit = Arc::clone(&self.places).acquire_owned().await;
        permit.map_err(|_| HashingError::Died)
    }

    /// The hash of a password with a new salt, as a PHC string.
    pub(crate) async fn hash(&self, password: String) -> Result<String, HashingError> {
        let place = self.place().await?;
        let hashing = move || {
            let hash = hash(&password);
            drop(place);
            hash
        };
        tokio::task::spawn_blocking(hashing)
            .await
            .map_err(|_| HashingError::Died)?
    }

    /// Whether this is the password that was hashed; `false`, after the same time, if there is
    /// nothing to compare with.
    pub(crate) async fn verify(
        &self,
        place: Place,
        password: String,
        expected: Option<String>,
    ) -> Result<bool, HashingError> {
        let decoy = Arc::clone(&self.decoy);
        let verifying = move || {
            let hash = expected.as_deref().unwrap_or(&decoy);
            let matches = verify(&password, hash);
            drop(place);
            matches.map(|matches| matches && expected.is_some())
        };
        tokio::task::spawn_blocking(verifying)
            .await
            .map_err(|_| HashingError::Died)?
    }
}

fn argon2() -> Result<Argon2<'static>, argon2::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, HashingError> {
    let hash: PasswordHash = argon2()?.hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

fn verify(password: &str, expected: &str) -> Result<bool, HashingError> {
    match argon2()?.verify_password(password.as_bytes(), expected) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::new(&Clock::default()).await.unwrap();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        for (password, expected, matches) in [
            ("correct horse", Some(hash.clone()), true),
            ("battery staple", Some(hash), false),
            ("correct horse", None, false),
        ] {
            let place = passwords.place().await.unwrap();
            let verdict = passwords.verify(place, password.to_owned(), expected).await;
            assert_eq!(verdict.unwrap(), matches, "{password}");
        }
    }

    #[tokio::test]
    async fn only_a_few_hash_at_once() {
        let passwords = Passwords::new(&Clock::default()).await.unwrap();
        let mut places = Vec::new();
        for _ in 0..AT_ONCE {
            places.push(passwords.place().await.unwrap());
        }
        assert_eq!(passwords.places.available_permits(), 0);
        drop(places);
        assert_eq!(passwords.places.available_permits(), AT_ONCE);
    }
}
