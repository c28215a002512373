//! `AdminAPI`: the audit log and decisions about events that failed.

use envelope::catalogue::ADMIN;

use super::{Table, column, technical};
use crate::activities::{ACCOUNTABILITY, DELIVERY};
use crate::belongs::{Belongs, person, text};
use crate::model::Category::{Activity, Pseudonym, Reason};
use crate::model::Whose::{Admin, Nobody, Recipient};
use crate::model::{Erasure, Retention};

const SERVICE: &str = "admin-api";

pub(super) static TABLES: &[Table] = &[
    Table {
        service: SERVICE,
        name: "audit",
        activity: &ACCOUNTABILITY,
        retention: Retention::Stream(&ADMIN),
        erasure: Erasure::NamesGo,
        belongs: Belongs::To(&[
            person("admin_id", Admin),
            text("target", Recipient),
            text("reason", Recipient),
        ]),
        columns: &[
            column("id", Admin, Pseudonym, "the event"),
            column("at", Admin, Activity, "when"),
            column("admin_id", Admin, Pseudonym, "which admin"),
            column("action", Admin, Activity, "what was done"),
            column("target", Recipient, Pseudonym, "whom or what it was about"),
            column("reason", Recipient, Reason, "why"),
        ],
    },
    Table {
        service: SERVICE,
        name: "decision",
        activity: &DELIVERY,
        retention: Retention::Stream(&ADMIN),
        erasure: Erasure::NamesGo,
        belongs: Belongs::To(&[text("reason", Recipient)]),
        columns: &[
            column("id", Nobody, Pseudonym, "the decision"),
            technical("action", "replay or skip"),
            column("reason", Recipient, Reason, "why"),
            technical("made_at", "when"),
        ],
    },
    Table {
        service: SERVICE,
        name: "decision_event",
        activity: &DELIVERY,
        retention: Retention::Stream(&ADMIN),
        erasure: Erasure::Stays("it names places and kinds of events"),
        belongs: Belongs::ToNobody,
        columns: &[
            column("decision", Nobody, Pseudonym, "the decision"),
            technical("position", "its place in the list"),
            technical("service", "where the event failed"),
            technical("place", "where it lies"),
            technical("event", "what kind of event it is"),
            technical("state", "what became of it"),
            technical("detail", "why, without values"),
        ],
    },
];
