//! The way to the mail server.

mod message;

use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use chassis::settings::{Secret, Settings};
use lettre::message::Mailbox;
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use tokio::sync::RwLock;
use uuid::Uuid;

use crate::letter::Letter;

pub(crate) use message::To;

/// The server has so long for each step.
const PATIENCE: Duration = Duration::from_secs(10);
/// A mail has so long altogether.
const LONGEST_SENDING: Duration = Duration::from_secs(20);
const CONNECTIONS: u32 = 16;

/// To end connections politely there is so long.
const CLOSING: Duration = Duration::from_millis(100);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Sends mails.
#[derive(Debug)]
pub(crate) struct Post {
    /// Its connections carry one mail after the other.
    transport: RwLock<Transport>,
    url: Secret,
    from: Mailbox,
}

/// Why a mail was not accepted. Says nothing about the recipient.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    /// The server does not take mails now, from anybody to anybody.
    #[error("the mail server does not take mails: {0}")]
    Away(&'static str),
    /// The server does not take this mail now.
    #[error("the mail server does not take a mail for now")]
    Later,
    /// The server never takes this mail.
    #[error("the mail server refused a mail for good")]
    Refused,
    /// It is not wanted any more; the server may have taken it in whole before.
    #[error("a mail was broken off")]
    BrokenOff,
}

impl Post {
    /// The mail server and the sender that are set; the server need not answer yet.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        let url = settings.smtp_url.clone().context(
            "no mail server: set DIPPER_SMTP_URL, e.g. smtp://127.0.0.1:25 or smtps://user:password@host",
        )?;
        let transport = RwLock::new(connect(&url)?);
        let from = settings.mail_from.parse().map_err(|_| {
            anyhow::anyhow!("DIPPER_MAIL_FROM is no sender; write e.g. Dipper <no-reply@host>")
        })?;
        Ok(Self {
            transport,
            url,
            from,
        })
    }

    /// Hands a mail to the server; returns once the server has taken it over, or when it is to be broken off.
    pub(crate) async fn send(
        &self,
        id: Uuid,
        to: To<'_>,
        letter: Letter,
        break_off: impl Future<Output = ()>,
    ) -> Result<(), NotSent> {
        let message =
            message::message(&self.from, id, &to, letter).map_err(|_| NotSent::Refused)?;
        let transport = self.transport.read().await.clone();
        let mut sending = pin!(transport.send(message));
        let sent = tokio::select! {
            sent = &mut sending => sent,
            () = tokio::time::sleep(LONGEST_SENDING) => {
                self.leave_connections().await;
                return Err(NotSent::Away("it is too slow"));
            }
            () = break_off => {
                self.leave_connections().await;
                return Err(NotSent::BrokenOff);
            }
        };
        let Err(error) = sent else {
            return Ok(());
        };
        let about_this_mail = error.is_permanent() || error.is_client() || error.is_transient();
        if !about_this_mail {
            return Err(NotSent::Away("no connection"));
        }
        // A server that refuses our password or everybody's connection says so with the same
        // codes. Only one that lets us in means this mail.
        match transport.test_connection().await {
            Ok(true) if error.is_transient() => Err(NotSent::Later),
            Ok(true) => Err(NotSent::Refused),
            _ => Err(NotSent::Away("it does not let us in")),
        }
    }

    /// Lets nobody use a connection again that is in the midst of a mail: what comes next would be read as
    /// part of that mail, or get the answer to it. Mails that others are handing over go on.
    async fn leave_connections(&self) {
        let Ok(fresh) = connect(&self.url) else {
            return;
        };
        let left = std::mem::replace(&mut *self.transport.write().await, fresh);
        // Those that do not answer in time are closed all the same.
        let _ = tokio::time::timeout(CLOSING, left.shutdown()).await;
    }
}

fn connect(url: &Secret) -> anyhow::Result<Transport> {
    // The driver's error could show the password that the address may hold.
    let builder = Transport::from_url(url.reveal()).map_err(|_| {
        anyhow::anyhow!(
            "DIPPER_SMTP_URL is no address of a mail server; write smtp://host:port or smtps://user:password@host"
        )
    })?;
    let pool = PoolConfig::new().max_size(CONNECTIONS);
    Ok(builder.timeout(Some(PATIENCE)).pool_config(pool).build())
}

#[cfg(test)]
mod tests {
    use chassis::settings::Secret;

    use super::*;

    fn settings(url: Option<&str>) -> Settings {
        let secret = |url| serde_json::from_value::<Secret>(serde_json::Value::from(url)).unwrap();
        Settings {
            smtp_url: url.map(secret),
            ..Settings::default()
        }
    }

    #[test]
    fn without_a_mail_server_the_start_says_what_to_set() {
        let error = Post::open(&settings(None)).unwrap_err().to_string();
        assert!(error.contains("DIPPER_SMTP_URL"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[tokio::test]
    async fn a_wrong_address_is_refused_without_showing_it() {
        let error = Post::open(&settings(Some("http://user:hunter2@host"))).unwrap_err();
        let error = format!("{error:#}");
        assert!(
            error.contains("DIPPER_SMTP_URL") && !error.contains("hunter2"),
            "{error}"
        );
        assert!(Post::open(&settings(Some("smtp://127.0.0.1:25"))).is_ok());
    }
}
