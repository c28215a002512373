//! Mails that were caught instead of sent, when the program is tried out: they lie in the data folder,
//! and go with their recipient.

use std::path::PathBuf;

use anyhow::Context as _;
use chassis::Chassis;
use chassis::keys::Keys;
use clients::notifier::recipient_mark;
use envelope::UserId;
use uuid::Uuid;

/// Where caught mails are, if any are.
#[derive(Clone, Debug)]
pub(crate) struct CaughtMails {
    folder: PathBuf,
    keys: Keys,
}

impl CaughtMails {
    pub(crate) fn new(chassis: &Chassis) -> Self {
        Self {
            folder: chassis.settings.data_dir.join("mail"),
            keys: chassis.keys.clone(),
        }
    }

    /// Overwrites and removes the mails to a person. Answers how many there were.
    pub(crate) async fn erase(&self, user: Uuid) -> anyhow::Result<u64> {
        let mark = recipient_mark(&self.keys, UserId(user));
        let folder = self.folder.clone();
        let erasing =
            tokio::task::spawn_blocking(move || mail_catcher::erase_marked(&folder, &mark));
        erasing.await?.context("cannot erase caught mails")
    }
}
