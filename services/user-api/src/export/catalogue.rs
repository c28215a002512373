//! What the data map and the catalogue of events say about what an export holds: what it is, what
//! for, for how long, and who gets to see it.

use std::collections::BTreeSet;

use archive::{EventKind, EventRecord, Field, Holding, LeftOut, Purpose, Reader, Row};
use data_map::{ACTIVITIES, Belongs, Export, Part, Retention, SHARED, TABLES, Table, fields_of};
use envelope::{CATALOGUE, Contract};

/// Not in the data map's tables, since it only lies there when no mail server is set.
const MAIL: (&str, &str) = (
    "mails to you",
    "you have them; what led to each is among the events",
);

/// A table's rows and what they are.
pub(super) fn holding(service: &str, table: &Table, rows: Vec<Row>) -> Holding {
    Holding {
        service: service.to_owned(),
        table: table.name.to_owned(),
        purpose: table.activity.id.to_owned(),
        retention: table.retention.in_words(),
        erasure: table.erasure().in_words(),
        fields: table.columns.iter().map(field).collect(),
        rows,
    }
}

fn field(part: &Part) -> Field {
    let left_out = match part.export {
        Export::LeftOut(why) => Some(why.to_owned()),
        Export::Value | Export::Opened => None,
    };
    Field {
        name: part.name.to_owned(),
        means: part.means.to_owned(),
        whose: part.whose.as_str().to_owned(),
        category: part.category.as_str().to_owned(),
        left_out,
    }
}

/// What data is needed for.
pub(super) fn purposes() -> Vec<Purpose> {
    let purposes = ACTIVITIES.iter().map(|activity| Purpose {
        id: activity.id.to_owned(),
        purpose: activity.purpose.to_owned(),
        legal_basis: activity.basis.as_str().to_owned(),
        recipients: activity.recipients.to_owned(),
    });
    purposes.collect()
}

/// The kinds of some events, and who reads them.
pub(super) fn event_kinds(events: &[EventRecord]) -> Vec<EventKind> {
    let version = |record: &EventRecord| record.event.get("version")?.as_str().map(str::to_owned);
    let there: BTreeSet<(String, String)> = events
        .iter()
        .filter_map(|record| Some((record.name.clone(), version(record)?)))
        .collect();
    let contracts = CATALOGUE
        .iter()
        .filter(|contract| there.contains(&(contract.name(), contract.version.to_string())));
    contracts.map(|contract| event_kind(contract)).collect()
}

fn event_kind(contract: &'static Contract) -> EventKind {
    let readers = contract.consumers.iter().map(|consumer| Reader {
        service: consumer.service.to_owned(),
        why: consumer.why.to_owned(),
    });
    EventKind {
        name: contract.name(),
        version: contract.version.to_string(),
        intent: contract.intent.to_owned(),
        sent_by: contract.producer.service.to_owned(),
        read_by: readers.collect(),
        retention: Retention::Stream(contract.stream).in_words(),
        erasure: contract.erasure.to_owned(),
        fields: fields_of(&contract.name()).map(field_of_event).collect(),
    }
}

/// Events are given out as they are, but for what is about others.
fn field_of_event(part: &Part) -> Field {
    Field {
        left_out: None,
        ..field(part)
    }
}

/// What is kept and not in an export.
pub(super) fn left_out() -> Vec<LeftOut> {
    let tables = SHARED.iter().chain(TABLES.iter().copied().flatten());
    let copies = tables.filter_map(|table| match table.belongs {
        Belongs::Copies(what) => {
            let service = match table.service {
                "*" => "every service",
                service => service,
            };
            Some((format!("{service}: {}", table.name), what.to_owned()))
        }
        Belongs::To(_) | Belongs::ToNobody => None,
    });
    let mail = (MAIL.0.to_owned(), MAIL.1.to_owned());
    let all = copies.chain(std::iter::once(mail));
    all.map(|(what, why)| LeftOut { what, why }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_told_with_the_reason() {
        let left_out = left_out();
        let index = left_out
            .iter()
            .find(|one| one.what == "user-api: subject_index");
        assert!(index.unwrap().why.contains("each event"));
        assert!(
            left_out
                .iter()
                .any(|one| one.what == "every service: outbox")
        );
    }

    #[test]
    fn only_kinds_of_events_that_are_there_are_told_of() {
        let event = serde_json::json!({"version": "1.1"});
        let record = EventRecord {
            stream: "TICK".to_owned(),
            name: "tick.new".to_owned(),
            event: serde_json::from_value(event).unwrap(),
        };
        let kinds = event_kinds(&[record]);
        assert_eq!(kinds.len(), 1);
        assert!(
            kinds[0]
                .read_by
                .iter()
                .any(|reader| reader.service == "score-model")
        );
        assert!(
            kinds[0]
                .fields
                .iter()
                .any(|field| field.name == "/data/place/lat")
        );
    }
}
