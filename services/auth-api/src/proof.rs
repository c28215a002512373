//! Whether it is really this user. Wrong proofs are counted: a stolen token does not allow guessing.

use std::time::Instant;

use clients::auth::Proof;
use envelope::UserId;

use crate::attempts::Account;
use crate::error::Error;
use crate::secrets as made;
use crate::store::credentials::{self, Standing};
use crate::store::secrets;
use crate::{App, second_factor};

/// Whether this proves that it is this user.
pub(crate) async fn holds(app: &App, user: UserId, proof: Proof) -> Result<bool, Error> {
    let account = app.attempts.account(&format!("user {user}"));
    let holds = match proof {
        Proof::Password(password) => by_password(app, &account, user, password).await?,
        Proof::Code(code) => by_code(app, &account, user, &code).await?,
    };
    count(app, account, holds);
    Ok(holds)
}

/// Whether these, the password and the code of a second factor if there is one, prove that it is this user.
pub(crate) async fn holds_with_code(
    app: &App,
    user: UserId,
    password: String,
    code: Option<&str>,
) -> Result<bool, Error> {
    let account = app.attempts.account(&format!("user {user}"));
    let holds = by_password(app, &account, user, password).await?
        && match second_factor::require(app, user, code).await {
            Err(Error::WrongCode) => false,
            required => required.map(|()| true)?,
        };
    count(app, account, holds);
    Ok(holds)
}

fn count(app: &App, account: Account, holds: bool) {
    if holds {
        app.attempts.succeeded(&account);
    } else {
        app.attempts.failed(account, Instant::now());
    }
}

async fn by_password(
    app: &App,
    account: &Account,
    user: UserId,
    password: String,
) -> Result<bool, Error> {
    let mut session = app.database.read().await?;
    let credential = credentials::find(&mut session, user).await?;
    drop(session);
    let usable = credential.filter(|found| found.standing == Standing::Confirmed);
    let place = app.passwords.place().await?;
    // Others may have failed while this attempt waited for its turn.
    app.attempts.check(account, Instant::now())?;
    let expected = usable.map(|found| found.password);
    Ok(app.passwords.verify(place, password, expected).await?)
}

async fn by_code(app: &App, account: &Account, user: UserId, code: &str) -> Result<bool, Error> {
    app.attempts.check(account, Instant::now())?;
    let hash = made::code_hash(&app.code_key, user, code);
    let mut work = app.database.begin().await?;
    let right = secrets::take_code(&mut work, user, &hash, app.clock.micros()).await?;
    work.commit().await?;
    Ok(right)
}
