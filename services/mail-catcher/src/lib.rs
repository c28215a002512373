//! A mail catcher for local use and tests: takes mail by SMTP, keeps it in files, shows it.
//!
//! | | |
//! |---|---|
//! | **Takes** | every mail for every recipient, over plain ESMTP on a listener that the caller owns |
//! | **Keeps** | one `.eml` file per mail and recipient, synced to disk before the sender hears 250 |
//! | **Serves** | `GET /dev/mail` (a page), `GET /dev/mail/messages`, `GET /dev/mail/messages/{id}` |
//! | **Personal data** | whole mails with their addresses; [`MailCatcher::delete_for`] erases a recipient's |
//!
//! The receiver is idempotent by `Message-ID`: a sender that is killed after the 250 and before it noted its success
//! hands the mail over again, and the second copy changes nothing.

mod http;
mod message;
mod page;
mod smtp;
mod store;
mod trace;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

pub use crate::message::Message;
pub use crate::smtp::Fault;
use crate::store::Store;

/// Erases the mails in a folder whose header holds this mark, whichever process catches them: each file
/// is overwritten, then removed. A folder that is not there holds none. Says how many there were.
pub fn erase_marked(dir: &Path, mark: &str) -> io::Result<u64> {
    match store::files::shred_marked(dir, mark) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        other => other,
    }
}

/// The caught mails of one folder; clones share it.
#[derive(Clone, Debug)]
pub struct MailCatcher {
    store: Arc<Store>,
    fault: watch::Sender<Fault>,
    stalled: Arc<AtomicUsize>,
}

impl MailCatcher {
    /// Opens the folder, creates it (mode 0700) if it is missing, and finds the mails that are already there.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        let store = Arc::new(Store::open(dir)?);
        Ok(Self {
            store,
            fault: watch::Sender::new(Fault::None),
            stalled: Arc::default(),
        })
    }

    /// Takes mail on `listener` until `shutdown` is cancelled; a mail that is being written by then is still kept.
    pub async fn serve_smtp(
        &self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        smtp::serve(self, listener, shutdown).await
    }

    /// Makes the SMTP side misbehave from now on, on open connections too, until called with [`Fault::None`].
    pub fn fault(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// How many conversations wait for a stall to end.
    pub fn stalled(&self) -> usize {
        self.stalled.load(Ordering::Relaxed)
    }

    /// The routes under `/dev/mail`, for a listener that only this machine reaches.
    pub fn router(&self) -> OpenApiRouter {
        http::router(self.clone())
    }

    /// All mails, the newest first. Reads their files: meant for tests and tools, not for a hot path.
    pub fn messages(&self) -> Vec<Message> {
        self.store.page(None, usize::MAX).messages
    }

    /// How often since the start a mail was handed over that was there already.
    pub fn repeats(&self) -> u64 {
        self.store.repeats()
    }

    /// Erases what was caught before a moment, as [`Self::delete_for`] does.
    pub fn delete_before(&self, moment: DateTime<Utc>) -> io::Result<usize> {
        self.store.delete_before(moment)
    }

    /// Erases what was caught for this recipient (upper and lower case alike): each file is overwritten, then removed.
    /// Returns how many mails there were. Blocks on the disk.
    pub fn delete_for(&self, recipient: &str) -> io::Result<usize> {
        self.store.delete_for(recipient)
    }
}
