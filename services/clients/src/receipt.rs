//! The signed receipt of an erasure: its requester keeps it, and anybody with the deployment's public
//! key can tell that it is genuine. A JWS (RFC 7515) in its compact form, signed with Ed25519 (RFC 8037).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::keys::Keys;
use chrono::{DateTime, Utc};
pub use ed25519_dalek::VerifyingKey;
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The JWS header of every receipt; one with another algorithm is none of ours.
const HEADER: &str = r#"{"alg":"EdDSA","typ":"dipper-erasure-receipt+json"}"#;

/// What an erasure did. It names nobody: who knows the request's secret id can show that it was theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// SHA-256 of the request's secret id, in hexadecimal digits.
    pub request_sha256: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When the last of it was done.
    pub finished_at: DateTime<Utc>,
    /// How many events were overwritten in the streams.
    pub events_deleted: i64,
    /// What each service deleted.
    pub services: Vec<ServiceReceipt>,
    /// How the person was looked for, and that nothing was found. None before there was a scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanReceipt>,
    /// When no backup is left that may hold anything of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backups_end_at: Option<DateTime<Utc>>,
}

/// A receipt, to read and to prove.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedReceipt {
    /// The receipt.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// The same, signed: `dipper erase verify-receipt` tells whether it is genuine.
    pub jws: String,
}

/// How the person was looked for in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanReceipt {
    /// The stores in which nothing is found any more.
    pub stores: Vec<String>,
    /// How many files were searched.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many files could not be read; what they hold is not known.
    pub unread_files: u64,
    /// The stores in which the same search found the person before: it finds what is there. None
    /// when an event asked for the erasure, so that it had begun before anybody could look.
    pub found_before: Option<Vec<String>>,
    /// The stores in which it should have, and did not: there it proves nothing.
    pub missed_before: Vec<String>,
    /// Whether the broker's lists of subjects still named the person, whose messages are overwritten;
    /// it rewrites them within three minutes, and the receipt says so then.
    pub broker_lists_follow: bool,
}

/// What a service deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceReceipt {
    /// The service.
    pub name: String,
    /// How many rows and files.
    pub rows: i64,
    /// The Message-IDs (before the `@`) of mails to the person that it was handing to the mail server when
    /// it deleted: they were broken off, and one that the server had taken in whole may still have arrived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mails_under_way: Vec<Uuid>,
}

/// A receipt that this deployment did not sign, or that was changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receipt is not genuine: {0}")]
pub struct NotGenuine(&'static str);

/// Signs a receipt: the same one always in the same way.
pub fn sign(receipt: &Receipt, keys: &Keys) -> Result<String, serde_json::Error> {
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(receipt)?);
    let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(HEADER));
    let signature = signing_key(keys).sign(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
    Ok(format!("{signed}.{signature}"))
}

/// Reads a receipt, if it was signed with the key that belongs to this public one.
pub fn verify(jws: &str, key: &VerifyingKey) -> Result<Receipt, NotGenuine> {
    let (signed, signature) = jws.rsplit_once('.').ok_or(NotGenuine("it is no JWS"))?;
    let (header, payload) = signed.split_once('.').ok_or(NotGenuine("it is no JWS"))?;
    if decode(header)? != HEADER.as_bytes() {
        return Err(NotGenuine("its header is not that of a receipt"));
    }
    let signature = Signature::from_slice(&decode(signature)?);
    let signature = signature.map_err(|_| NotGenuine("it has no signature"))?;
    key.verify_strict(signed.as_bytes(), &signature)
        .map_err(|_| NotGenuine("the signature is not of this key, or not of this text"))?;
    serde_json::from_slice(&decode(payload)?)
        .map_err(|_| NotGenuine("it does not read as a receipt"))
}

/// The public key of a deployment's receipts.
pub fn public_key(keys: &Keys) -> VerifyingKey {
    signing_key(keys).verifying_key()
}

/// A public key as hexadecimal digits.
pub fn digits(key: &VerifyingKey) -> String {
    hex::encode(key.as_bytes())
}

/// A public key, from its hexadecimal digits.
pub fn parse_public_key(digits: &str) -> Option<VerifyingKey> {
    let bytes = hex::decode(digits.trim()).ok()?;
    VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
}

fn signing_key(keys: &Keys) -> SigningKey {
    SigningKey::from_bytes(keys.purpose("erasure receipt").as_bytes())
}

fn decode(part: &str) -> Result<Vec<u8>, NotGenuine> {
    let bytes = URL_SAFE_NO_PAD.decode(part);
    bytes.map_err(|_| NotGenuine("it is not base64url"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Keys {
        Keys::from_secret(&secret.repeat(32)).unwrap()
    }

    fn receipt() -> Receipt {
        Receipt {
            request_sha256: "ab".repeat(32),
            requested_at: DateTime::UNIX_EPOCH,
            finished_at: DateTime::UNIX_EPOCH,
            events_deleted: 7,
            services: vec![ServiceReceipt {
                mails_under_way: Vec::new(),
                name: "tick-api".to_owned(),
                rows: 3,
            }],
            scan: None,
            backups_end_at: None,
        }
    }

    #[test]
    fn a_receipt_is_genuine_under_its_deployments_key_only() {
        let (ours, theirs) = (keys("a"), keys("b"));
        let jws = sign(&receipt(), &ours).unwrap();
        assert_eq!(verify(&jws, &public_key(&ours)), Ok(receipt()));
        assert!(verify(&jws, &public_key(&theirs)).is_err());
        let shown = digits(&public_key(&ours));
        assert_eq!(parse_public_key(&shown), Some(public_key(&ours)));
    }

    #[test]
    fn no_part_of_a_receipt_can_be_changed() {
        let keys = keys("a");
        let jws = sign(&receipt(), &keys).unwrap();
        for place in (0..jws.len()).step_by(11) {
            let mut changed = jws.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&changed, &public_key(&keys)).is_err(), "{place}");
        }
        let unsigned = format!("{}.", jws.rsplit_once('.').unwrap().0);
        assert!(verify(&unsigned, &public_key(&keys)).is_err());
    }
}
