//! The SMTP side: takes connections, as many at a time as are allowed, and talks ESMTP on each.

mod body;
mod command;
mod connection;
mod prompt;
mod session;

use std::time::Duration;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::connection::Connection;
use self::prompt::Prompt;
use self::session::Session;
use crate::MailCatcher;

/// The longest address that is taken: more than the 254 bytes that a deliverable one can have.
pub(crate) const ADDRESS_LIMIT: usize = 320;

/// The largest mail, as the SIZE extension advertises it.
const SIZE_LIMIT: usize = 10 * 1024 * 1024;

/// Further connections wait in the listener's queue until one of these ends.
const MAX_CONNECTIONS: usize = 64;

/// How long a client may take for a line, or to take an answer.
const IDLE_LIMIT: Duration = Duration::from_mins(1);

/// How long open connections may go on after the stop signal: enough to write a mail and to say goodbye.
const GRACE: Duration = Duration::from_secs(5);

/// Pause after a failed accept: when the process is out of file descriptors the next one fails as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How the SMTP side misbehaves, so that senders can be tested against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    #[default]
    None,
    /// Every recipient is refused for now (451): the sender is to try again later.
    Temporary,
    /// Every recipient is refused for good (550): the sender is to give up.
    Permanent,
    /// Recipients get no answer until the fault changes.
    Stall,
    /// A mail that was taken in whole is neither kept nor answered until the fault changes.
    StallAfterData,
    /// The mail is kept and the connection closed without an answer: the sender cannot know and has to send it again.
    LoseAnswer,
}

/// Takes mail until `shutdown`, then lets open connections finish what they are writing.
pub(crate) async fn serve(
    catcher: &MailCatcher,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let address = listener
        .local_addr()
        .context("the mail catcher's socket is unusable")?;
    tracing::info!(%address, "catching mail");
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = sessions.join_next() => report(ended),
            accepted = listener.accept(), if sessions.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => { sessions.spawn(talk(catcher.clone(), stream, shutdown.clone())); }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let all_ended = async {
        while let Some(ended) = sessions.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        tracing::warn!("mail connections were cut off");
    }
    Ok(())
}

async fn talk(catcher: MailCatcher, stream: TcpStream, shutdown: CancellationToken) {
    let connection = Connection::new(Prompt::new(stream), IDLE_LIMIT, shutdown);
    Session::new(catcher, connection).run().await;
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a mail connection failed");
    }
}
