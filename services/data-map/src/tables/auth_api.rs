//! `AuthAPI`: passwords, sessions and codes, as hashes only.

use std::time::Duration;

use super::{Table, column, personal, technical};
use crate::activities::{ACCOUNTS, MODERATION};
use crate::belongs::person;
use crate::model::Category::{Activity, Credential, Pseudonym};
use crate::model::Retention;
use crate::model::Whose::AccountHolder;

const SERVICE: &str = "auth-api";

pub(super) static TABLES: &[Table] = &[
    personal(
        SERVICE,
        "credential",
        &ACCOUNTS,
        Retention::Account,
        &[
            column("user_id", AccountHolder, Pseudonym, "whose account"),
            column(
                "password",
                AccountHolder,
                Credential,
                "an Argon2id hash of the password",
            ),
            column(
                "role",
                AccountHolder,
                Credential,
                "birder, moderator or admin",
            )
            .shown(),
            column("created_at", AccountHolder, Activity, "since when"),
            column(
                "confirmed_at",
                AccountHolder,
                Activity,
                "when the address was confirmed",
            ),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "confirmation",
        &ACCOUNTS,
        Retention::For(Duration::from_hours(24)),
        &[
            column(
                "token_hash",
                AccountHolder,
                Credential,
                "a hash of what the link holds",
            ),
            column("user_id", AccountHolder, Pseudonym, "whose account"),
            column(
                "password",
                AccountHolder,
                Credential,
                "an Argon2id hash of the password",
            ),
            column(
                "expires_at",
                AccountHolder,
                Activity,
                "until when it can be used",
            ),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "password_reset",
        &ACCOUNTS,
        Retention::For(Duration::from_hours(1)),
        &[
            column(
                "token_hash",
                AccountHolder,
                Credential,
                "a hash of what the link to a new password holds",
            ),
            column("user_id", AccountHolder, Pseudonym, "whose account"),
            column(
                "expires_at",
                AccountHolder,
                Activity,
                "until when it can be used",
            ),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "session",
        &ACCOUNTS,
        Retention::For(Duration::from_hours(30 * 24)),
        &[
            column(
                "id",
                AccountHolder,
                Pseudonym,
                "the session, in its owner's list",
            ),
            column(
                "token_hash",
                AccountHolder,
                Credential,
                "a hash of its token",
            ),
            column("user_id", AccountHolder, Pseudonym, "whose"),
            column("created_at", AccountHolder, Activity, "since when"),
            column("expires_at", AccountHolder, Activity, "until when"),
            column(
                "proved_at",
                AccountHolder,
                Activity,
                "when they last proved who they are",
            ),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "mailed_code",
        &ACCOUNTS,
        Retention::For(Duration::from_mins(15)),
        &[
            column("user_id", AccountHolder, Pseudonym, "whom it was mailed to"),
            column("code_hash", AccountHolder, Credential, "a hash of the code"),
            column(
                "expires_at",
                AccountHolder,
                Activity,
                "until when it can be used",
            ),
            technical("tries", "how often it was tried"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "second_factor",
        &ACCOUNTS,
        Retention::Account,
        &[
            column("user_id", AccountHolder, Pseudonym, "whose"),
            column(
                "secret_sealed",
                AccountHolder,
                Credential,
                "what an authenticator app shares with us: sealed",
            ),
            column(
                "confirmed_at",
                AccountHolder,
                Activity,
                "since when codes of it are asked for",
            ),
            column(
                "last_step",
                AccountHolder,
                Activity,
                "of which half minute the last code was",
            ),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "recovery_code",
        &ACCOUNTS,
        Retention::Account,
        &[
            column(
                "code_hash",
                AccountHolder,
                Credential,
                "a keyed hash of a code that takes the place of an app's, once",
            ),
            column("user_id", AccountHolder, Pseudonym, "whose"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "suspension",
        &MODERATION,
        Retention::For(Duration::from_hours(365 * 24)),
        &[
            column("user_id", AccountHolder, Pseudonym, "who is shut out"),
            column("suspended_until", AccountHolder, Activity, "until when"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
];
