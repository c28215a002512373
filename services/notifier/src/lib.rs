//! Notifier: mails to the owner of a rated picture, and mails about accounts.
//!
//! | | |
//! |---|---|
//! | **Serves** | `/unsubscribe/{token}`; with `up`, [`preview`] at `/dev/mail/preview` |
//! | **Answers** | [`clients::notifier::QueueAccountMail`] |
//! | **Calls** | UserAPI: [`clients::user::Address`], [`clients::user::NewAddress`], [`clients::user::SetNotifications`]; AuthAPI: [`clients::auth::MailSecret`]; the mail server |
//! | **Publishes** | `notification.email`, `gdpr.purged` |
//! | **Consumes** | `tick.new`, `tick.update`, `rate.update`, `rate.delete`, `gdpr.delete` |
//! | **Personal data** | ids of owners, raters and pictures as long as mail waits; who owns which picture; when somebody was last told. Addresses and names are asked for at the moment of sending and kept nowhere |
//!
//! A mail is decided on and given its id before it is sent, and its rows go when the mail server
//! has taken it over. A crash in between sends the same mail again under the same `Message-ID`.

mod answers;
mod consumers;
mod digest;
mod erasure;
mod error;
mod handlers;
mod import;
mod letter;
mod mailer;
mod post;
pub mod preview;
mod router;
mod store;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use chassis::bus::Bus;
use chassis::clock::Clock;
use chassis::database::Database;
use chassis::group_commit::GroupCommit;
use chassis::keys::Keys;
use chassis::rpc::Answers;
use chassis::{Chassis, Service};
use sqlx::migrate::Migrator;
use tokio::sync::Notify;

use crate::mailer::ratings::{Choice, Sent};
use crate::post::Post;

/// The service's name.
pub const NAME: &str = "notifier";

/// Its tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What handlers share.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// What an [`App`] consists of.
#[derive(Debug)]
pub struct Parts {
    bus: Bus,
    clock: Clock,
    database: Database,
    post: Post,
    keys: Keys,
    /// What owners are to be told, written in groups.
    choices: GroupCommit<Choice>,
    /// Mails that were handed over, written in groups.
    sent: GroupCommit<Sent>,
    /// What links in mails begin with.
    public_url: Arc<str>,
    /// Stands for the hour or the day between digests.
    digest_interval: Option<Duration>,
    /// Something was queued; the mailer wants waking.
    queued: Arc<Notify>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Builds the service.
pub async fn service(chassis: &Chassis) -> anyhow::Result<Service> {
    let post = Post::open(&chassis.settings)?;
    let database = chassis.database(NAME, &MIGRATIONS).await?;
    let app = App(Arc::new(Parts {
        bus: chassis.bus.clone(),
        clock: chassis.clock.clone(),
        database: database.clone(),
        post,
        keys: chassis.keys.clone(),
        choices: GroupCommit::start(database.clone(), &chassis.lifecycle),
        sent: GroupCommit::start(database.clone(), &chassis.lifecycle),
        public_url: Arc::clone(&chassis.public_url),
        digest_interval: chassis.settings.digest_interval.map(|interval| interval.0),
        queued: Arc::default(),
    }));
    let lifecycle = &chassis.lifecycle;
    let mailer = mailer::run(app.clone(), lifecycle.clone());
    let answers = Answers::new().on(answers::queue_account_mail);
    Ok(Service::new(NAME, chassis)
        .router(router::router(app.clone()))
        .answers(answers.with_state(app.clone()))
        .consumers(consumers::consumers(app, database.clone()))
        .completes(import::complete)
        .database(database)
        .task("notifier mailer", mailer))
}
