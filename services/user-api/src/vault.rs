//! The identity vault's seals: each person's address and name are sealed with a key of their own.
//! Whoever destroys the key makes every copy unreadable, in backups too.

use chassis::access::Sealed;
use chassis::database::DatabaseError;
use chassis::keys::{Keys, PurposeKey, SealingKey, Unsealable};
use envelope::UserId;
use serde_json::Value;

use crate::account::{EmailAddress, Name};

/// Seals and opens identities; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    addresses: PurposeKey,
    keys: SealingKey,
}

/// A new person's sealed fields.
pub(crate) struct SealedIdentity {
    pub key: Vec<u8>,
    pub email: Option<Vec<u8>>,
    pub name: Vec<u8>,
}

/// One person's own key.
pub(crate) struct OwnKey {
    user: UserId,
    key: PurposeKey,
}

impl Vault {
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            addresses: keys.purpose("user-api email"),
            keys: keys.sealing("user-api vault"),
        }
    }

    /// By what an address is found without being readable.
    pub(crate) fn email_hash(&self, email: &EmailAddress) -> String {
        self.addresses.hash(email.recognised_by().as_bytes())
    }

    /// Makes a key for a new person and seals their fields with it.
    pub(crate) fn seal(
        &self,
        user: UserId,
        email: Option<&EmailAddress>,
        name: &Name,
    ) -> SealedIdentity {
        let own = OwnKey {
            user,
            key: PurposeKey::random(),
        };
        SealedIdentity {
            key: self.keys.seal(&format!("{user} key"), own.key.as_bytes()),
            email: email.map(|email| own.seal_email(email)),
            name: own.seal_name(name),
        }
    }

    /// Opens a person's own key.
    pub(crate) fn own_key(&self, user: UserId, sealed: &[u8]) -> Result<OwnKey, Unsealable> {
        let bytes = self.keys.open(&format!("{user} key"), sealed)?;
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| Unsealable)?;
        Ok(OwnKey {
            user,
            key: PurposeKey::from_bytes(bytes),
        })
    }
}

impl Vault {
    /// Opens a sealed column of an identity, or of its change, for an export.
    pub(crate) fn open(&self, sealed: &Sealed<'_>) -> Result<Value, DatabaseError> {
        let user = UserId(sealed.id_of("user_id")?);
        let (key, bytes) = (sealed.bytes_of("key_sealed")?, sealed.bytes()?);
        let opened = self
            .own_key(user, &key)
            .and_then(|own| match sealed.column {
                "email_sealed" => own.open_email(&bytes),
                "name_sealed" => own.open_name(&bytes),
                _ => Err(Unsealable),
            });
        opened
            .map(Value::String)
            .map_err(|_| DatabaseError::Damaged("a sealed column of identity"))
    }
}

impl OwnKey {
    pub(crate) fn seal_name(&self, name: &Name) -> Vec<u8> {
        self.seal("name", name.as_str())
    }

    pub(crate) fn open_name(&self, sealed: &[u8]) -> Result<String, Unsealable> {
        self.open("name", sealed)
    }

    pub(crate) fn seal_email(&self, email: &EmailAddress) -> Vec<u8> {
        self.seal("email", email.as_str())
    }

    pub(crate) fn open_email(&self, sealed: &[u8]) -> Result<String, Unsealable> {
        self.open("email", sealed)
    }

    fn seal(&self, field: &str, plain: &str) -> Vec<u8> {
        self.key
            .seal(&format!("{} {field}", self.user), plain.as_bytes())
    }

    fn open(&self, field: &str, sealed: &[u8]) -> Result<String, Unsealable> {
        let plain = self.key.open(&format!("{} {field}", self.user), sealed)?;
        String::from_utf8(plain).map_err(|_| Unsealable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn vault() -> Vault {
        Vault::new(&Keys::from_secret("0123456789abcdef0123456789abcdef").unwrap())
    }

    #[test]
    fn an_identity_opens_with_its_own_key_only() {
        let (one, two) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let email: EmailAddress = "ada@example.org".parse().ok().unwrap();
        let name: Name = "Ada".parse().ok().unwrap();
        let sealed = vault().seal(one, Some(&email), &name);
        let own = vault().own_key(one, &sealed.key).unwrap();
        assert_eq!(own.open_name(&sealed.name).unwrap(), "Ada");
        assert_eq!(
            own.open_email(&sealed.email.unwrap()).unwrap(),
            "ada@example.org"
        );
        assert!(vault().own_key(two, &sealed.key).is_err());
        let other = vault().seal(one, None, &name);
        assert!(own.open_name(&other.name).is_err());
    }

    #[test]
    fn an_address_has_one_hash_however_it_is_spelt() {
        let hash = |text: &str| vault().email_hash(&text.parse().ok().unwrap());
        assert_eq!(hash("Ada@Example.org"), hash(" ada@example.org "));
        assert_ne!(hash("ada@example.org"), hash("eve@example.org"));
    }
}
