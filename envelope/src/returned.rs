//! An event that was published before, on another instance, ready to be published here: as it was, with
//! the id and the time that it had.

use serde_json::Value;
use uuid::Uuid;

use crate::decode::{contract_of, key_of, newest_of};
use crate::{DecodeError, Decoded, Outgoing, Subject, decode};

/// Checks an event by all that its contract promises, and says where it goes.
///
/// `entity` is the first word of its name: `tick`.
pub fn returned(entity: &str, event: &Value) -> Result<(Decoded, Outgoing), DecodeError> {
    let subject = subject_of(entity, event)?;
    let body = event.to_string();
    let decoded = decode(&subject, body.as_bytes())?;
    let outgoing = Outgoing {
        id: decoded.envelope.id,
        message_id: format!("{}:v{}", decoded.envelope.id, decoded.subject.major),
        subject,
        body,
        people: decoded.people().iter().map(|named| named.id).collect(),
        stream: decoded.contract.stream.name,
        time: decoded.envelope.metadata.time,
    };
    Ok((decoded, outgoing))
}

/// The subject follows from the event: type, major and key are in it.
fn subject_of(entity: &str, event: &Value) -> Result<String, DecodeError> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (text("type"), text("version"));
    let major = version.split('.').next().unwrap_or_default();
    let unkeyed: Subject = format!("{entity}.{kind}.v{major}.{}", Uuid::nil()).parse()?;
    let contract = contract_of(&unkeyed, newest_of(&unkeyed)?, event)?;
    let key = event.get("data").and_then(|data| key_of(contract, data));
    let key = key.ok_or(DecodeError::SubjectMismatch("key"))?;
    Ok(contract.subject(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::CATALOGUE;
    use crate::seal;

    #[test]
    fn every_event_of_the_catalogue_goes_where_it_went_before() {
        for contract in CATALOGUE {
            let sample = (contract.sample)();
            let (decoded, outgoing) = returned(contract.entity, &sample).unwrap();
            assert_eq!(decoded.contract.name(), contract.name());
            assert_eq!(outgoing.stream, contract.stream.name);
            assert_eq!(
                serde_json::from_str::<Value>(&outgoing.body).unwrap(),
                sample
            );
        }
    }

    #[test]
    fn it_is_published_under_the_subject_and_the_id_that_it_had() {
        let id = crate::EventId(Uuid::from_u128(9));
        let metadata = crate::Metadata::new("services/AuthAPI", chrono::DateTime::UNIX_EPOCH);
        let user = crate::UserId(Uuid::from_u128(1)).into();
        let sealed = seal(id, metadata, &crate::user::Register { user }).unwrap();
        let event = serde_json::from_str(&sealed.body).unwrap();
        let (_, again) = returned("user", &event).unwrap();
        assert_eq!(again.subject, sealed.subject);
        assert_eq!(again.message_id, sealed.message_id);
        assert_eq!(again.people, sealed.people);
        assert_eq!(again.time, sealed.time);
    }

    #[test]
    fn what_breaks_its_contract_is_refused() {
        let good = serde_json::json!({
            "id": Uuid::from_u128(1), "type": "login", "version": "1.0",
            "data": {"user": {"id": Uuid::from_u128(2)}},
            "metadata": {"source": "services/AuthAPI", "time": "2026-05-01T06:30:00Z"},
        });
        assert!(returned("user", &good).is_ok());
        assert!(returned("nothing", &good).is_err());
        for (pointer, bad) in [
            ("/version", "9.0"),
            ("/type", "unheard"),
            ("/data/user/id", "x"),
            ("/id", "x"),
        ] {
            let mut event = good.clone();
            *event.pointer_mut(pointer).unwrap() = bad.into();
            assert!(returned("user", &event).is_err(), "{pointer}");
        }
    }
}
