//! What every service with a database keeps beside its own tables.

use std::time::Duration;

use super::{Table, column, personal, technical};
use crate::activities::{DELIVERY, ERASURE};
use crate::belongs::Belongs;
use crate::model::Category::{Activity, Event, Pseudonym};
use crate::model::Whose::{Named, Nobody};
use crate::model::{Erasure, Retention};

const NAMES_NOBODY: Erasure = Erasure::Stays("it names nobody");

/// The tables of every service with a database.
pub static SHARED: &[Table] = &[
    personal(
        "*",
        "outbox",
        &DELIVERY,
        Retention::For(Duration::from_mins(10)),
        &[
            technical("position", "the order in which events were written"),
            column("event_id", Named, Pseudonym, "the event"),
            column(
                "subject",
                Named,
                Pseudonym,
                "where it is published: ends with the key",
            ),
            column("message_id", Named, Pseudonym, "the event, in a version"),
            column("body", Named, Event, "the event"),
            column("people", Named, Pseudonym, "whom it names"),
            column("sent_at", Named, Activity, "when the broker took it"),
            technical("stream_sequence", "where it lies in its stream"),
            technical("incarnation", "which making of the stream took it"),
            technical("stream", "which stream"),
            technical("bucket", "when it happened, to ten seconds"),
            technical("matched_at", "when all its consumers had it"),
            technical("missing", "which services lack it"),
        ],
    )
    .copies("events on their way: they are among the events"),
    Table {
        service: "*",
        name: "inbox",
        activity: &DELIVERY,
        retention: Retention::Unlimited,
        erasure: Erasure::Stays(
            "a random id of an event that is gone leads to nobody, and keeps it from coming again",
        ),
        belongs: Belongs::ToNobody,
        columns: &[
            technical("consumer", "which consumer"),
            column("event_id", Nobody, Pseudonym, "an event that was handled"),
            technical("handled_at", "when it was handled"),
            technical(
                "content",
                "a short keyed hash of what it said: another event under its id is noticed",
            ),
        ],
    },
    personal(
        "*",
        "parked",
        &DELIVERY,
        Retention::UntilDecided,
        &[
            technical("consumer", "which consumer"),
            technical("stream", "which stream"),
            technical("incarnation", "which making of it"),
            technical("sequence", "where the event lies"),
            column("lane", Named, Pseudonym, "the key whose order matters"),
            column("event_id", Named, Pseudonym, "the event"),
            column(
                "subject",
                Named,
                Pseudonym,
                "where it was published: ends with the key",
            ),
            column("headers", Named, Pseudonym, "its headers"),
            column("body", Named, Event, "the event"),
            column("people", Named, Pseudonym, "whom it names"),
            technical("status", "what it waits for"),
            technical("dependency", "which service it waits for"),
            technical("reason", "why, in a word"),
            technical("detail", "why, without values"),
            technical("attempts", "how often it was tried"),
            technical("due_at", "when it is tried again"),
            technical("parked_at", "since when it waits"),
        ],
    )
    .copies("events that wait to be handled: they are among the events"),
    Table {
        service: "*",
        name: "progress",
        activity: &DELIVERY,
        retention: Retention::Unlimited,
        erasure: NAMES_NOBODY,
        belongs: Belongs::ToNobody,
        columns: &[
            technical("consumer", "which consumer"),
            technical("stream", "which stream"),
            technical("incarnation", "which making of it"),
            technical("checkpoint", "up to where it is handled"),
            technical("checkpoint_time", "when that was stored"),
            technical("offered", "a number of events"),
            technical("processed", "a number of events"),
            technical("repeated", "a number of events"),
            technical("erased", "a number of events"),
            technical("skipped", "a number of events"),
            technical(
                "lost_since",
                "since when the stream may have lost something",
            ),
        ],
    },
    Table {
        service: "*",
        name: "lease",
        activity: &DELIVERY,
        retention: Retention::Unlimited,
        erasure: NAMES_NOBODY,
        belongs: Belongs::ToNobody,
        columns: &[
            technical("consumer", "which consumer"),
            technical("holder", "a random name of a process"),
            technical("epoch", "how often it changed hands"),
            technical("leased_until", "until when"),
        ],
    },
    Table {
        service: "*",
        name: "digest",
        activity: &DELIVERY,
        retention: Retention::For(Duration::from_hours(24)),
        erasure: Erasure::Stays(
            "numbers, and ids of many events in one: nobody can tell them apart",
        ),
        belongs: Belongs::ToNobody,
        columns: &[
            technical("consumer", "which consumer"),
            technical("source", "which service sent the events"),
            technical("stream", "which stream"),
            technical("bucket", "when, to ten seconds"),
            technical("events", "how many"),
            technical("xor_high", "their ids under exclusive or"),
            technical("xor_low", "their ids under exclusive or"),
        ],
    },
    Table {
        service: "*",
        name: "repair",
        activity: &DELIVERY,
        retention: Retention::Unlimited,
        erasure: NAMES_NOBODY,
        belongs: Belongs::ToNobody,
        columns: &[
            technical("stream", "which stream"),
            technical("events", "how many events were published again"),
        ],
    },
    Table {
        service: "*",
        name: "rebuild",
        activity: &DELIVERY,
        retention: Retention::Unlimited,
        erasure: NAMES_NOBODY,
        belongs: Belongs::ToNobody,
        columns: &[
            technical("consumer", "which consumer"),
            technical("id", "the rebuild"),
            technical("takes_over", "when it takes over"),
            technical("events_per_second", "how fast it may read"),
            technical("state", "how it stands"),
            technical("is_cancelled", "whether somebody asked for its end"),
            technical("progress", "how far it is"),
            technical("started_at", "when it began"),
            technical("ended_at", "when it ended"),
        ],
    },
    Table {
        service: "*",
        name: "scrub",
        activity: &ERASURE,
        retention: Retention::Unlimited,
        erasure: NAMES_NOBODY,
        belongs: Belongs::ToNobody,
        columns: &[
            technical("asked", "how many changes deleted for good"),
            technical("done", "how many of them are gone from the files"),
            technical("due_at", "when the others are to go"),
        ],
    },
    Table {
        service: "*",
        name: "erased",
        activity: &ERASURE,
        retention: Retention::Unlimited,
        erasure: Erasure::Stays("it is what keeps a person erased"),
        belongs: Belongs::ToNobody,
        columns: &[
            column(
                "person",
                Nobody,
                Pseudonym,
                "a keyed hash of the id of a person or photo",
            ),
            technical("erased_at", "when"),
        ],
    },
    Table {
        service: "*",
        name: "_sqlx_migrations",
        activity: &DELIVERY,
        retention: Retention::Unlimited,
        erasure: NAMES_NOBODY,
        belongs: Belongs::ToNobody,
        columns: &[
            technical("version", "which change of the tables"),
            technical("description", "its name"),
            technical("installed_on", "when it was made"),
            technical("success", "whether it was"),
            technical("checksum", "of its text"),
            technical("execution_time", "how long it took"),
        ],
    },
];
