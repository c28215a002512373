//! Fields of events. Those of the envelope are the same for all events.

mod tick;

use envelope::{CATALOGUE, Contract};

use crate::activities::{
    ACCOUNTABILITY, ACCOUNTS, Activity, DELIVERY, ERASURE, RATING_MAIL, RATINGS, RIGHTS, SCORING,
};
use crate::model::{
    Category, Erasure, Item, Part, Place, Retention, Whose, part as field, technical,
};

/// The fields of one event's data, in all its versions.
#[derive(Debug)]
pub struct Fields {
    /// The event's name: `tick.new`; `*` is the envelope of all.
    pub event: &'static str,
    activity: &'static Activity,
    erasure: Erasure,
    /// Pointers into the envelope.
    all: &'static [Part],
}

use Category::{Activity as When, Preference, Pseudonym, Rating, Reason, Score};
use Whose::{AccountHolder, Admin, ImageOwner, Named, Nobody, Rater, Recipient};

/// The fields of all events.
pub static FIELDS: &[Fields] = &[
    Fields {
        event: "*",
        activity: &DELIVERY,
        erasure: Erasure::EventGoes,
        all: &[
            field(
                "/id",
                Named,
                Pseudonym,
                "the event; a tick's is that of its `tick.new`",
            ),
            technical("/type", "what kind of event it is"),
            technical("/version", "which version of it"),
            technical("/metadata/source", "which service sent it"),
            field("/metadata/time", Named, When, "when it happened"),
            field(
                "/metadata/partitionkey",
                Named,
                Pseudonym,
                "the key whose order matters: a person or a photo",
            ),
            field(
                "/metadata/correlationid",
                Named,
                Pseudonym,
                "the event that all this began with",
            ),
            field(
                "/metadata/causationid",
                Named,
                Pseudonym,
                "the event that this follows from",
            ),
            technical(
                "/metadata/traceparent",
                "the trace, a random id that names nobody",
            ),
            technical("/metadata/dataclassification", "whether it names people"),
            technical("/metadata/deprecated", "whether its version goes"),
            technical("/metadata/deprecationsunset", "when its version goes"),
        ],
    },
    tick::NEW,
    tick::UPDATE,
    tick::DELETE,
    Fields {
        event: "rate.update",
        activity: &RATINGS,
        erasure: Erasure::EventGoes,
        all: &[
            field("/data/user/id", Rater, Pseudonym, "who rated"),
            field(
                "/data/image_url",
                ImageOwner,
                Pseudonym,
                "the photo, in version 1",
            ),
            field("/data/image/url", ImageOwner, Pseudonym, "the photo"),
            field(
                "/data/image/owner",
                ImageOwner,
                Pseudonym,
                "whose photo it is",
            ),
            field("/data/rating", Rater, Rating, "1 to 5"),
        ],
    },
    Fields {
        event: "rate.delete",
        activity: &RATINGS,
        erasure: Erasure::EventGoes,
        all: &[
            field(
                "/data/user/id",
                Rater,
                Pseudonym,
                "who took the rating back",
            ),
            field("/data/image/url", ImageOwner, Pseudonym, "the photo"),
        ],
    },
    Fields {
        event: "score.update",
        activity: &SCORING,
        erasure: Erasure::EventGoes,
        all: &[
            field("/data/image/url", ImageOwner, Pseudonym, "the photo"),
            field("/data/score", ImageOwner, Score, "1 to 5"),
            field("/data/reasons/*", ImageOwner, Score, "why, in words"),
            technical("/data/model", "which model"),
        ],
    },
    Fields {
        event: "notification.email",
        activity: &RATING_MAIL,
        erasure: Erasure::EventGoes,
        all: &[
            field(
                "/data/user/id",
                Recipient,
                Pseudonym,
                "who was mailed; no address",
            ),
            field("/data/message_type", Recipient, When, "about what"),
            technical("/data/source_event/name", "what kind of event it told of"),
            technical("/data/source_event/type", "what kind of event it told of"),
            field(
                "/data/source_event/id",
                Recipient,
                Pseudonym,
                "which event it told of",
            ),
        ],
    },
    Fields {
        event: "gdpr.delete",
        activity: &ERASURE,
        erasure: Erasure::EventGoes,
        all: &[field(
            "/data/user/id",
            AccountHolder,
            Pseudonym,
            "who is to be erased",
        )],
    },
    Fields {
        event: "gdpr.purged",
        activity: &ERASURE,
        erasure: Erasure::Stays("it names a request, not a person"),
        all: &[
            field("/data/request/id", Nobody, Pseudonym, "the request"),
            technical("/data/service", "who has deleted"),
            technical("/data/rows", "how many rows"),
            field(
                "/data/mails_under_way/*",
                Nobody,
                Pseudonym,
                "mails to the person that were being sent",
            ),
        ],
    },
    Fields {
        event: "gdpr.erased",
        activity: &ERASURE,
        erasure: Erasure::Stays("it is what keeps a person erased"),
        all: &[
            field("/data/request/id", Nobody, Pseudonym, "the request"),
            field(
                "/data/subject",
                Nobody,
                Pseudonym,
                "a keyed hash of the person's id",
            ),
        ],
    },
    Fields {
        event: "user.register",
        activity: &ACCOUNTS,
        erasure: Erasure::EventGoes,
        all: &[field(
            "/data/user/id",
            AccountHolder,
            Pseudonym,
            "who has an account now",
        )],
    },
    Fields {
        event: "user.login",
        activity: &ACCOUNTS,
        erasure: Erasure::EventGoes,
        all: &[field(
            "/data/user/id",
            AccountHolder,
            Pseudonym,
            "who logged in",
        )],
    },
    Fields {
        event: "user.limit",
        activity: &RIGHTS,
        erasure: Erasure::EventGoes,
        all: &[
            field(
                "/data/user/id",
                AccountHolder,
                Pseudonym,
                "whose data it is",
            ),
            field(
                "/data/restricted",
                AccountHolder,
                Preference,
                "whether it is kept and nothing else is done with it",
            ),
            field(
                "/data/objections/scoring",
                AccountHolder,
                Preference,
                "whether their photos get no score",
            ),
            field(
                "/data/objections/statistics",
                AccountHolder,
                Preference,
                "whether they are in no figure",
            ),
            field(
                "/data/withdrawn/places",
                AccountHolder,
                Preference,
                "whether exact places of their sightings are not kept",
            ),
        ],
    },
    Fields {
        event: "admin.audit",
        activity: &ACCOUNTABILITY,
        erasure: Erasure::EventGoes,
        all: &[
            field("/data/admin/id", Admin, Pseudonym, "which admin"),
            technical("/data/action", "what was done"),
            field(
                "/data/target",
                Recipient,
                Pseudonym,
                "whom or what it was about",
            ),
            field("/data/reason", Recipient, Reason, "why"),
        ],
    },
];

/// All versions of an event.
fn versions(event: &str) -> impl Iterator<Item = &'static Contract> {
    CATALOGUE
        .iter()
        .copied()
        .filter(move |contract| contract.name() == event)
}

/// The fields of an event, those of its envelope first.
pub fn fields_of(event: &str) -> impl Iterator<Item = &'static Part> {
    let all = FIELDS.iter();
    all.filter(move |fields| fields.event == event || fields.event == "*")
        .flat_map(|fields| fields.all)
}

pub(crate) fn items() -> Vec<Item> {
    FIELDS.iter().flat_map(items_of).collect()
}

fn items_of(fields: &'static Fields) -> impl Iterator<Item = Item> {
    let stream = versions(fields.event)
        .next()
        .map(|contract| contract.stream);
    fields.all.iter().map(move |field| Item {
        place: Place::Field {
            event: fields.event,
            pointer: field.name,
        },
        whose: field.whose,
        category: field.category,
        activity: fields.activity,
        retention: stream.map_or(Retention::EachStream, Retention::Stream),
        erasure: fields.erasure,
        means: field.means,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Where values stand in what a schema describes.
    fn leaves(schema: &Value, root: &Value, at: &str, found: &mut BTreeSet<String>) {
        if let Some(place) = schema["$ref"].as_str() {
            let target = root.pointer(place.trim_start_matches('#')).unwrap();
            return leaves(target, root, at, found);
        }
        let choices = ["anyOf", "oneOf", "allOf"]
            .iter()
            .filter_map(|word| schema[*word].as_array());
        let choices: Vec<&Value> = choices.flatten().collect();
        for choice in &choices {
            leaves(choice, root, at, found);
        }
        if let Some(properties) = schema["properties"].as_object() {
            for (name, part) in properties {
                leaves(part, root, &format!("{at}/{name}"), found);
            }
        } else if schema["items"].is_object() {
            leaves(&schema["items"], root, &format!("{at}/*"), found);
        } else if choices.is_empty() && schema["type"] != "null" {
            found.insert(at.to_owned());
        }
    }

    fn published() -> BTreeSet<(String, String)> {
        let mut all = BTreeSet::new();
        for contract in CATALOGUE {
            let schema: Value = serde_json::from_str(contract.frozen).unwrap();
            let mut found = BTreeSet::new();
            leaves(&schema, &schema, "", &mut found);
            all.extend(found.into_iter().map(|pointer| {
                let event = if pointer.starts_with("/data/") {
                    contract.name()
                } else {
                    "*".to_owned()
                };
                (event, pointer)
            }));
        }
        all
    }

    #[test]
    fn every_field_of_every_published_schema_is_classified_and_no_other() {
        let pointers = |fields: &Fields| -> Vec<(String, String)> {
            let all = fields.all.iter();
            all.map(|field| (fields.event.to_owned(), field.name.to_owned()))
                .collect()
        };
        let known: BTreeSet<_> = FIELDS.iter().flat_map(pointers).collect();
        assert_eq!(known, published());
    }

    /// The subject index, and with it export and erasure, go by the catalogue.
    #[test]
    fn what_the_catalogue_calls_personal_is_personal_here() {
        for contract in CATALOGUE {
            let name = contract.name();
            for personal in contract.personal {
                let pointer = format!("/data{}", personal.pointer);
                let fields = FIELDS.iter().filter(|fields| fields.event == name);
                let mut below = fields
                    .flat_map(|fields| fields.all)
                    .filter(|field| field.name.starts_with(&pointer))
                    .peekable();
                assert!(below.peek().is_some(), "{name} {pointer}");
                assert!(below.all(|field| field.whose != Nobody), "{name} {pointer}");
            }
        }
    }

    /// Ids of people and photos lead to somebody: without them in the index, nobody finds the event.
    #[test]
    fn what_leads_to_a_person_here_is_in_the_catalogues_index() {
        for fields in FIELDS.iter().filter(|fields| fields.event != "*") {
            let leads = |field: &&Part| {
                let name = field.name.trim_start_matches("/data");
                field.category == Pseudonym
                    && field.whose != Nobody
                    && [
                        "/user/id",
                        "/image/url",
                        "/image_url",
                        "/image/owner",
                        "/admin/id",
                        "/target",
                    ]
                    .contains(&name)
            };
            for field in fields.all.iter().filter(leads) {
                let pointer = field.name.trim_start_matches("/data");
                let is_indexed = versions(fields.event)
                    .flat_map(|contract| contract.personal)
                    .any(|personal| personal.pointer == pointer);
                assert!(is_indexed, "{} {pointer}", fields.event);
            }
        }
    }
}
