//! `Notifier`: what is to be mailed to whom; no address.

use std::time::Duration;

use super::{Table, column, technical};
use crate::activities::MAIL;
use crate::model::Category::{Activity, Credential, Pseudonym, Rating};
use crate::model::Whose::{AccountHolder, ImageOwner, Rater, Recipient};
use crate::model::{Erasure, Retention};

const SERVICE: &str = "notifier";

pub(super) static TABLES: &[Table] = &[
    Table {
        service: SERVICE,
        name: "image_owner",
        activity: &MAIL,
        retention: Retention::Account,
        erasure: Erasure::RowGoes,
        columns: &[
            column("image_id", AccountHolder, Pseudonym, "a photo"),
            column("owner", AccountHolder, Pseudonym, "whose it is"),
        ],
    },
    Table {
        service: SERVICE,
        name: "pending",
        activity: &MAIL,
        retention: Retention::UntilDone,
        erasure: Erasure::RowGoes,
        columns: &[
            column("event_id", Rater, Pseudonym, "the rating to be told of"),
            column("owner", ImageOwner, Pseudonym, "whom to tell"),
            column("rater", Rater, Pseudonym, "who rated"),
            column("image_id", ImageOwner, Pseudonym, "the photo"),
            column("rating", Rater, Rating, "1 to 5"),
            column("queued_at", ImageOwner, Activity, "since when it waits"),
            column("mail_id", ImageOwner, Pseudonym, "the mail it goes with"),
            technical("traceparent", "the trace, a random id that names nobody"),
        ],
    },
    Table {
        service: SERVICE,
        name: "recipient",
        activity: &MAIL,
        retention: Retention::Account,
        erasure: Erasure::RowGoes,
        columns: &[
            column("owner", Recipient, Pseudonym, "who gets mail"),
            column(
                "last_sent_at",
                Recipient,
                Activity,
                "when the last was sent",
            ),
            column("due_at", Recipient, Activity, "when the next is"),
            technical("claimed_until", "until when a worker is at it"),
            column(
                "mail_id",
                Recipient,
                Pseudonym,
                "the mail that is being sent",
            ),
            technical("attempts", "how often it was tried"),
        ],
    },
    Table {
        service: SERVICE,
        name: "account_mail",
        activity: &MAIL,
        retention: Retention::UntilDone,
        erasure: Erasure::RowGoes,
        columns: &[
            column("id", Recipient, Pseudonym, "the mail"),
            column("user_id", Recipient, Pseudonym, "who gets it"),
            column("kind", Recipient, Activity, "what it is about"),
            column("queued_at", Recipient, Activity, "since when it waits"),
            technical("due_at", "when it is tried again"),
            technical("claimed_until", "until when a worker is at it"),
            technical("attempts", "how often it was tried"),
        ],
    },
    Table {
        service: SERVICE,
        name: "unsubscribe",
        activity: &MAIL,
        retention: Retention::For(Duration::from_hours(366 * 24)),
        erasure: Erasure::RowGoes,
        columns: &[
            column(
                "token_hash",
                Recipient,
                Credential,
                "a hash of what the link in a mail holds",
            ),
            column(
                "user_id",
                Recipient,
                Pseudonym,
                "who may unsubscribe with it",
            ),
            column("made_at", Recipient, Activity, "since when"),
        ],
    },
];
