//! A code beside the password, for whoever wants one asked for. A code works once, also when two come at a time.

use chassis::keys::{Keys, SealingKey};
use chassis::unit_of_work::Work;
use envelope::UserId;

use crate::App;
use crate::error::Error;
use crate::secrets as made;
use crate::store::second_factors::{self, SecondFactor};
use crate::totp::Secret;

/// Seals what apps and we share.
pub(crate) struct Vault(SealingKey);

impl Vault {
    /// With the deployment's key.
    pub(crate) fn new(keys: &Keys) -> Self {
        Self(keys.sealing("auth-api second factor"))
    }

    /// Seals the secret of a user.
    pub(crate) fn seal(&self, user: UserId, secret: &Secret) -> Vec<u8> {
        self.0.seal(&place(user), secret.as_bytes())
    }

    fn open(&self, user: UserId, sealed: &[u8]) -> Result<Secret, Error> {
        Ok(Secret::from_bytes(self.0.open(&place(user), sealed)?))
    }
}

/// As the data map says it.
fn place(user: UserId) -> String {
    format!("{user} secret")
}

/// Demands a code of who has a second factor, and takes it.
pub(crate) async fn require(app: &App, user: UserId, code: Option<&str>) -> Result<(), Error> {
    let known = second_factors::find(&mut app.database.read().await?, user).await?;
    let Some(known) = known.filter(|known| known.is_confirmed) else {
        return Ok(());
    };
    let code = code.ok_or(Error::SecondFactorRequired)?;
    // Most have none, and no log-in of theirs waits for the writer.
    let mut work = app.database.begin().await?;
    if !take(app, &mut work, (user, &known), code).await? {
        return Err(Error::WrongCode);
    }
    Ok(work.commit().await?)
}

/// Takes a code that the app shows now, or one for recovery. Says whether it was one.
pub(crate) async fn take(
    app: &App,
    work: &mut Work,
    (user, known): (UserId, &SecondFactor),
    code: &str,
) -> Result<bool, Error> {
    let code = code.trim().to_ascii_lowercase();
    let secret = app.second_factors.open(user, &known.secret)?;
    if let Some(step) = secret.step_of(&code, app.clock.now().timestamp()) {
        return Ok(second_factors::spend(work, user, step).await?);
    }
    let hash = made::code_hash(&app.code_key, user, &code);
    Ok(second_factors::take_recovery(work, user, &hash).await?)
}
