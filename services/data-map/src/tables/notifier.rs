//! `Notifier`: what is to be mailed to whom; no address.

use std::time::Duration;

use super::{Table, column, personal, technical};
use crate::activities::{MAIL, RATING_MAIL};
use crate::belongs::{person, photo};
use crate::model::Category::{Activity, Credential, Pseudonym, Rating};
use crate::model::Retention;
use crate::model::Whose::{AccountHolder, ImageOwner, Rater, Recipient};

const SERVICE: &str = "notifier";
const OWN_PHOTOS: (&str, &str, &str) = ("image_owner", "image_id", "owner");

pub(super) static TABLES: &[Table] = &[
    personal(
        SERVICE,
        "image_owner",
        &RATING_MAIL,
        Retention::Account,
        &[
            column("image_id", AccountHolder, Pseudonym, "a photo"),
            column("owner", AccountHolder, Pseudonym, "whose it is"),
        ],
    )
    .of(&[person("owner", AccountHolder)]),
    personal(
        SERVICE,
        "pending",
        &RATING_MAIL,
        Retention::UntilDone,
        &[
            column("event_id", Rater, Pseudonym, "the rating to be told of"),
            column("owner", ImageOwner, Pseudonym, "whom to tell"),
            column("rater", Rater, Pseudonym, "who rated"),
            column("image_id", ImageOwner, Pseudonym, "the photo"),
            column("rating", Rater, Rating, "1 to 5"),
            column("queued_at", ImageOwner, Activity, "since when it waits"),
            column("mail_id", ImageOwner, Pseudonym, "the mail it goes with"),
            technical("traceparent", "the trace, a random id that names nobody"),
        ],
    )
    .of(&[
        person("owner", ImageOwner),
        person("rater", Rater),
        photo("image_id", OWN_PHOTOS),
    ]),
    personal(
        SERVICE,
        "recipient",
        &RATING_MAIL,
        Retention::Account,
        &[
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
    )
    .of(&[person("owner", Recipient)]),
    personal(
        SERVICE,
        "account_mail",
        &MAIL,
        Retention::UntilDone,
        &[
            column("id", Recipient, Pseudonym, "the mail"),
            column("user_id", Recipient, Pseudonym, "who gets it"),
            column("kind", Recipient, Activity, "what it is about"),
            column("queued_at", Recipient, Activity, "since when it waits"),
            technical("due_at", "when it is tried again"),
            technical("claimed_until", "until when a worker is at it"),
            technical("attempts", "how often it was tried"),
        ],
    )
    .of(&[person("user_id", Recipient)]),
    personal(
        SERVICE,
        "unsubscribe",
        &RATING_MAIL,
        Retention::For(Duration::from_hours(366 * 24)),
        &[
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
    )
    .of(&[person("user_id", Recipient)]),
];
