//! AuthAPI: who somebody is, and what they may do.
//!
//! | | |
//! |---|---|
//! | **Serves** | `/api/v1/auth/...`: register, confirm, log in, log out, own sessions, change and reset a password, a second factor, prove again who one is |
//! | **Answers** | [`clients::auth`]: verify a token, re-authenticate, send a code, end a user's sessions, create an account, set a role, show an account, suspend a user, a mail's secret |
//! | **Calls** | UserAPI (which user has this address? whose new address does this link confirm?), Notifier (a mail about an account) |
//! | **Publishes** | `user.register`, `user.login`, `gdpr.purged` |
//! | **Consumes** | `gdpr.delete` |
//! | **Personal data** | per user id: password hash (Argon2id), role, hashed session tokens, hashed confirmation and reset tokens, hashed codes, what an authenticator app shares with us (sealed), until when they are shut out; no address, no name |

mod account;
mod age;
mod answers;
mod attempts;
mod consumers;
mod erasure;
mod error;
mod handlers {
    pub(crate) mod passwords;
    pub(crate) mod proofs;
    pub(crate) mod registrations;
    pub(crate) mod second_factor;
    pub(crate) mod sessions;
}
mod passwords;
mod proof;
mod router;
mod second_factor;
mod secrets;
mod store;
mod suspension;
mod totp;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use chassis::bus::Bus;
use chassis::clock::Clock;
use chassis::database::Database;
use chassis::keys::PurposeKey;
use chassis::{Chassis, Service};
use clients::Authenticator;
use sqlx::migrate::Migrator;

use crate::attempts::Attempts;
use crate::passwords::Passwords;
use crate::second_factor::Vault;

/// The service's name.
pub const NAME: &str = "auth-api";

/// Its tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What handlers work with.
#[derive(Clone)]
struct App(Arc<Parts>);

struct Parts {
    database: Database,
    bus: Bus,
    clock: Clock,
    authenticator: Authenticator,
    passwords: Passwords,
    attempts: Attempts,
    age_gate: age::Gate,
    /// Hashes the codes that are mailed: eight digits could be searched without a key.
    code_key: PurposeKey,
    second_factors: Vault,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.authenticator.clone()
    }
}

/// Builds the service.
pub async fn service(chassis: &Chassis) -> anyhow::Result<Service> {
    let database = chassis.database(NAME, &MIGRATIONS).await?;
    let app = App(Arc::new(Parts {
        database: database.clone(),
        bus: chassis.bus.clone(),
        clock: chassis.clock.clone(),
        authenticator: Authenticator::new(chassis),
        passwords: Passwords::new(&chassis.clock).await?,
        age_gate: age::Gate::new(&chassis.settings),
        attempts: Attempts::new(chassis.keys.purpose("auth-api attempts")),
        code_key: chassis.keys.purpose("auth-api code"),
        second_factors: Vault::new(&chassis.keys),
    }));
    Ok(Service::new(NAME, chassis)
        .router(router::routes(app.clone()))
        .answers(answers::answers(app.clone()))
        .consumers(consumers::consumers(app, database.clone()))
        .database(database))
}
