//! What a person is looked for by in the stores: everything that is theirs alone. A name is not among
//! it, since others bear it too, and it is nowhere but in mails and under the person's own key.

use anyhow::Context as _;
use chassis::database::{DatabaseError, Session, json_text};
use chassis::keys::{Keys, SealingKey};
use envelope::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::address;
use crate::store::identities::{self, Identity};
use crate::store::index;
use crate::vault::Vault;

/// Somebody with more photos is looked for by so many of them.
const MOST_IMAGES: usize = 200;

/// What a person is looked for by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Needles {
    pub user: Uuid,
    /// None for callers of trust mode who told nothing about themselves.
    pub account: Option<Uuid>,
    /// None for those who have no address.
    pub email: Option<String>,
    /// None unless another address waits to be confirmed.
    #[serde(default)]
    pub new_email: Option<String>,
    pub images: Vec<Uuid>,
}

/// Makes needles, and keeps them sealed.
#[derive(Clone, Debug)]
pub(crate) struct NeedleCase {
    vault: Vault,
    key: SealingKey,
}

impl NeedleCase {
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            vault: Vault::new(keys),
            key: keys.sealing("user-api needles"),
        }
    }

    /// What somebody can be looked for by, as long as their identity is there.
    pub(crate) async fn of(
        &self,
        session: &mut Session,
        user: Uuid,
    ) -> Result<Needles, DatabaseError> {
        let mut needles = Needles::by_id(user);
        needles.see_images(index::images(session, user).await?);
        if let Some(identity) = identities::find(session, UserId(user)).await? {
            needles.email = self.email(&identity)?;
            needles.account = Some(identity.account_id);
            // Also one that is too old to be confirmed, as long as it is there.
            needles.new_email = address::waiting(session, &self.vault, (UserId(user), 0)).await?;
        }
        Ok(needles)
    }

    fn email(&self, identity: &Identity) -> Result<Option<String>, DatabaseError> {
        let Some(sealed) = &identity.email_sealed else {
            return Ok(None);
        };
        let own = self
            .vault
            .own_key(UserId(identity.user_id), &identity.key_sealed);
        let email = own.and_then(|own| own.open_email(sealed));
        email
            .map(Some)
            .map_err(|_| DatabaseError::Damaged("a sealed address"))
    }

    /// Whether somebody has registered with the address since.
    pub(crate) async fn is_taken(
        &self,
        session: &mut Session,
        email: &str,
    ) -> Result<bool, DatabaseError> {
        let Ok(email) = email.parse() else {
            return Ok(false);
        };
        let hash = self.vault.email_hash(&email);
        Ok(identities::by_email(session, &hash).await?.is_some())
    }

    /// Seals needles for the row of a request.
    pub(crate) fn seal(&self, event: Uuid, needles: &Needles) -> Result<Vec<u8>, DatabaseError> {
        let text = json_text(needles)?;
        Ok(self.key.seal(&event.to_string(), text.as_bytes()))
    }

    /// Opens what was sealed for a request's row.
    pub(crate) fn open(&self, event: Uuid, sealed: &[u8]) -> anyhow::Result<Needles> {
        let opened = self.key.open(&event.to_string(), sealed);
        let opened = opened.context("cannot open what an erasure looks for")?;
        Ok(serde_json::from_slice(&opened)?)
    }
}

impl Needles {
    /// Nothing is known but the id.
    pub(crate) fn by_id(user: Uuid) -> Self {
        Self {
            user,
            account: None,
            email: None,
            new_email: None,
            images: Vec::new(),
        }
    }

    /// These are the person's photos.
    pub(crate) fn see_images(&mut self, mut images: Vec<Uuid>) {
        images.truncate(MOST_IMAGES);
        self.images = images;
    }
}
