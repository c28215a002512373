//! `UserAPI`: who somebody is, where they are named, and their requests to be erased.

use super::{Table, column, personal, technical};
use crate::activities::{ACCOUNTS, ERASURE};
use crate::model::Category::{Activity, Contact, Credential, Name, Preference, Pseudonym};
use crate::model::Whose::{AccountHolder, Named, Nobody};
use crate::model::{Erasure, Retention};

const SERVICE: &str = "user-api";

pub(super) static TABLES: &[Table] = &[
    Table {
        service: SERVICE,
        name: "identity",
        activity: &ACCOUNTS,
        retention: Retention::Account,
        erasure: Erasure::KeyGoes,
        columns: &[
            column(
                "account_id",
                AccountHolder,
                Pseudonym,
                "the account, known to no other service",
            ),
            column(
                "user_id",
                AccountHolder,
                Pseudonym,
                "the person, as events name them",
            ),
            column(
                "email_hash",
                AccountHolder,
                Contact,
                "a keyed hash of the address, to find it",
            ),
            column(
                "key_sealed",
                AccountHolder,
                Credential,
                "the person's own key, sealed",
            ),
            column(
                "email_sealed",
                AccountHolder,
                Contact,
                "the address, sealed with that key",
            ),
            column(
                "name_sealed",
                AccountHolder,
                Name,
                "the name, sealed with that key",
            ),
            column(
                "notifications",
                AccountHolder,
                Preference,
                "how often mail may come",
            ),
            column("locale", AccountHolder, Preference, "the language"),
            column("created_at", AccountHolder, Activity, "since when"),
        ],
    },
    personal(
        SERVICE,
        "subject_index",
        &ERASURE,
        Retention::EachStream,
        &[
            column("person", Named, Pseudonym, "who is named, or whose photo"),
            technical("stream", "in which stream"),
            technical("sequence", "at which place"),
        ],
    ),
    personal(
        SERVICE,
        "image_owner",
        &ERASURE,
        Retention::Account,
        &[
            column("image", AccountHolder, Pseudonym, "a photo"),
            column("owner", AccountHolder, Pseudonym, "whose it is"),
        ],
    ),
    Table {
        service: SERVICE,
        name: "late",
        activity: &ERASURE,
        retention: Retention::UntilDone,
        erasure: Erasure::Stays("it names a place in a stream, until that is overwritten"),
        columns: &[
            technical(
                "stream",
                "in which stream an event came for somebody erased",
            ),
            technical("sequence", "at which place"),
        ],
    },
    Table {
        service: SERVICE,
        name: "erasure",
        activity: &ERASURE,
        retention: Retention::UntilDone,
        erasure: Erasure::NamesGo,
        columns: &[
            column("event_id", Nobody, Pseudonym, "the request"),
            column(
                "request_hash",
                Nobody,
                Pseudonym,
                "a hash of what the requester was given to ask with",
            ),
            column(
                "user_id",
                AccountHolder,
                Pseudonym,
                "who is to be erased; taken out at the end",
            ),
            technical("state", "how it stands"),
            technical("requested_at", "since when"),
            technical("due_at", "until when it must be done"),
            technical("fenced_at", "when it began"),
            technical("finished_at", "when it was done"),
            technical("events_deleted", "how many events were overwritten"),
        ],
    },
    Table {
        service: SERVICE,
        name: "erasure_service",
        activity: &ERASURE,
        retention: Retention::Unlimited,
        erasure: Erasure::Stays("it names a request, not a person"),
        columns: &[
            column("event_id", Nobody, Pseudonym, "the request"),
            technical("service", "who is to delete"),
            technical("state", "whether they have"),
            technical("deleted", "how many rows"),
        ],
    },
];
