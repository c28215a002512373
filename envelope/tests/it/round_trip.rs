//! What is sealed is decoded to the same.

use std::fmt::Debug;

use envelope::{Canonical, Envelope, Event, EventId, ImageUrl, Metadata, Subject, decode, seal};
use proptest::prelude::*;
use serde_json::Value;

use crate::any;

fn there_and_back<E: Event + PartialEq>(
    id: EventId,
    metadata: &Metadata,
    event: &E,
) -> Result<Value, TestCaseError> {
    let outgoing = seal(id, metadata.clone(), event)
        .map_err(|error| TestCaseError::fail(format!("{error} {metadata:?}")))?;
    let decoded = decode(&outgoing.subject, outgoing.body.as_bytes())
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&decoded.envelope.metadata, metadata);
    prop_assert_eq!(decoded.envelope.id, id);
    prop_assert_eq!(decoded.subject.key, event.key());
    let read: E = serde_json::from_value(decoded.envelope.data.clone()).unwrap();
    prop_assert_eq!(&read, event);
    let people: Vec<_> = decoded.people().iter().map(|named| named.id).collect();
    prop_assert_eq!(people, outgoing.people);
    Ok(decoded.envelope.data)
}

fn canonical<T: Canonical + PartialEq + Debug + Event>(
    data: &Value,
    event: &T,
) -> Result<(), TestCaseError> {
    let read = T::read(T::CONTRACT.version, data).unwrap();
    prop_assert_eq!(&read, event);
    Ok(())
}

proptest! {
    #[test]
    fn a_sealed_event_is_decoded_to_the_same(
        id in any::event_id(),
        metadata in any::metadata(),
        tick in any::tick(),
        correction in any::correction(),
        rating in any::rating(),
        score in any::score(),
    ) {
        let data = there_and_back(id, &metadata, &tick)?;
        canonical(&data, &tick)?;
        let data = there_and_back(id, &metadata, &correction)?;
        canonical(&data, &correction)?;
        there_and_back(id, &metadata, &rating)?;
        let data = there_and_back(id, &metadata, &score)?;
        canonical(&data, &score)?;
    }

    #[test]
    fn an_envelope_survives_json(
        id in any::event_id(),
        kind in "[a-z]{1,12}",
        (major, minor) in (any::<u16>(), any::<u16>()),
        data in any::json(),
        metadata in any::metadata(),
    ) {
        let envelope = Envelope { id, kind, version: envelope::Version::new(major, minor), data, metadata };
        let text = serde_json::to_string(&envelope).unwrap();
        prop_assert_eq!(serde_json::from_str::<Envelope>(&text).unwrap(), envelope);
    }

    #[test]
    fn a_subject_survives_its_text(entity in "[a-z]{1,12}", kind in "[a-z]{1,12}", major in any::<u16>(), key in any::uuid()) {
        let subject = Subject { entity, kind, major, key };
        prop_assert_eq!(subject.to_string().parse::<Subject>(), Ok(subject));
    }

    #[test]
    fn the_pattern_of_image_urls_says_what_is_read(
        origin in "((https?|ftp)://)?[a-z0-9.:@/\\[\\]-]{0,12}",
        path in "/images/([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f-]{36})(/(2048|1024|400|800)\\.(jpg|png))?.?",
    ) {
        let schema = schemars::schema_for!(ImageUrl).to_value();
        for text in [path.clone(), format!("{origin}{path}")] {
            let read = text.parse::<ImageUrl>().is_ok();
            prop_assert_eq!(jsonschema::is_valid(&schema, &text.as_str().into()), read, "{}", text);
        }
    }
}
