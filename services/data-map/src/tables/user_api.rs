//! `UserAPI`: who somebody is, where they are named, and their requests to be erased.

use std::time::Duration;

use super::{Table, column, personal, technical};
use crate::activities::{ACCOUNTS, ERASURE, RIGHTS};
use crate::belongs::{Belongs, person};
use crate::model::Category::{Activity, Contact, Credential, Name, Preference, Pseudonym};
use crate::model::Whose::{AccountHolder, Named, Nobody};
use crate::model::{Erasure, Retention};

const SERVICE: &str = "user-api";
/// What was done can be asked for until the last backup is gone, and a day longer.
const DONE: Duration = Duration::from_hours(31 * 24);

pub(super) static TABLES: &[Table] = &[
    Table {
        service: SERVICE,
        name: "identity",
        activity: &ACCOUNTS,
        retention: Retention::Account,
        erasure: Erasure::KeyGoes,
        belongs: Belongs::To(&[person("user_id", AccountHolder)]),
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
            )
            .left_out("a keyed hash of the address, which is here itself"),
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
            )
            .opened(),
            column(
                "name_sealed",
                AccountHolder,
                Name,
                "the name, sealed with that key",
            )
            .opened(),
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
        "address_change",
        &ACCOUNTS,
        Retention::For(Duration::from_hours(24)),
        &[
            column(
                "user_id",
                AccountHolder,
                Pseudonym,
                "whose address is to change",
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
                "the new address, sealed with that key",
            )
            .opened(),
            column(
                "email_hash",
                AccountHolder,
                Contact,
                "a keyed hash of the new address, to find whether it is somebody's",
            )
            .left_out("a keyed hash of the new address, which is here itself"),
            column(
                "token_hash",
                AccountHolder,
                Credential,
                "a hash of what the link holds",
            ),
            column(
                "expires_at",
                AccountHolder,
                Activity,
                "until when it can be confirmed",
            ),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "processing_limit",
        &RIGHTS,
        Retention::Account,
        &[
            column("user_id", AccountHolder, Pseudonym, "whose data it is"),
            column(
                "restricted",
                AccountHolder,
                Preference,
                "whether it is kept and nothing else is done with it",
            ),
            column(
                "scoring",
                AccountHolder,
                Preference,
                "whether they objected to scores of their photos",
            ),
            column(
                "statistics",
                AccountHolder,
                Preference,
                "whether they objected to being in figures",
            ),
            column(
                "places",
                AccountHolder,
                Preference,
                "whether they took back their consent to exact places",
            ),
            column("changed_at", AccountHolder, Activity, "since when"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "consent",
        &RIGHTS,
        Retention::Account,
        &[
            column("id", AccountHolder, Pseudonym, "an entry of the ledger"),
            column("user_id", AccountHolder, Pseudonym, "who decided"),
            column("purpose", AccountHolder, Preference, "about what"),
            column("language", AccountHolder, Preference, "in which language it was shown"),
            column("version", AccountHolder, Preference, "which version of the text was shown"),
            column("sha256", AccountHolder, Preference, "the hash of the text that was shown"),
            column("given", AccountHolder, Preference, "whether they agreed, or took it back"),
            column("at", AccountHolder, Activity, "when"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
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
    )
    .copies("places in the streams: each event in the export is at one of them"),
    personal(
        SERVICE,
        "image_owner",
        &ERASURE,
        Retention::Account,
        &[
            column("image", AccountHolder, Pseudonym, "a photo"),
            column("owner", AccountHolder, Pseudonym, "whose it is"),
        ],
    )
    .of(&[person("owner", AccountHolder)]),
    personal(
        SERVICE,
        "correction",
        &RIGHTS,
        Retention::Account,
        &[
            column(
                "tick",
                AccountHolder,
                Pseudonym,
                "a tick that was corrected",
            ),
            column("user_id", AccountHolder, Pseudonym, "whose it is"),
            technical("revision", "how often it was corrected"),
            technical("asked", "how often what was said before was to go"),
            technical("done", "as much of that is overwritten"),
        ],
    )
    .copies("what the event of the correction says, which is in the export"),
    Table {
        service: SERVICE,
        name: "late",
        activity: &ERASURE,
        retention: Retention::UntilDone,
        erasure: Erasure::Stays("it names a place in a stream, until that is overwritten"),
        belongs: Belongs::ToNobody,
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
        name: "missed",
        activity: &ERASURE,
        retention: Retention::UntilDone,
        erasure: Erasure::Stays("it names servers"),
        belongs: Belongs::ToNobody,
        columns: &[
            technical("server", "which server of the broker was away"),
            technical("since", "since when"),
        ],
    },
    Table {
        service: SERVICE,
        name: "late_image",
        activity: &ERASURE,
        retention: Retention::UntilDone,
        erasure: Erasure::Stays("it is a photo of nobody's any more, until Statistics has forgotten it"),
        belongs: Belongs::ToNobody,
        columns: &[column(
            "image",
            Nobody,
            Pseudonym,
            "a photo of somebody erased, that Statistics is to forget",
        )],
    },
    Table {
        service: SERVICE,
        name: "erasure",
        activity: &ERASURE,
        retention: Retention::For(DONE),
        erasure: Erasure::NamesGo,
        belongs: Belongs::To(&[person("user_id", AccountHolder)]),
        columns: &[
            column("event_id", Nobody, Pseudonym, "the request"),
            column(
                "request_hash",
                Nobody,
                Pseudonym,
                "a hash of what the requester was given to ask with",
            )
            .left_out("a hash of the secret that you were given"),
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
            column(
                "needles_sealed",
                AccountHolder,
                Contact,
                "what is looked for at the end - ids and the address, sealed; gone when nothing is found",
            )
            .left_out("the ids and the address that are elsewhere in this export"),
            technical("control", "in which stores the person was found before"),
            technical("begun_at", "when its event was let go"),
            technical("scan", "what the last look through the stores saw"),
            technical("scanned_at", "when that was"),
            technical("looks", "how many looks there were"),
            technical("look_at", "when the next one is due"),
            technical("extension_reason", "why it takes longer, if it does"),
            technical("alarmed", "how much of the time was used at the last alarm"),
            technical(
                "backups_end_at",
                "when no backup is left that may hold the person",
            ),
        ],
    },
    Table {
        service: SERVICE,
        name: "ledger_head",
        activity: &ERASURE,
        retention: Retention::Unlimited,
        erasure: Erasure::Stays("it is a number and a keyed hash of many erasures"),
        belongs: Belongs::ToNobody,
        columns: &[
            technical("id", "always 1"),
            technical("entries", "how many tombstones the ledger had"),
            technical("link", "what the last of them was linked by"),
        ],
    },
    Table {
        service: SERVICE,
        name: "export",
        activity: &ERASURE,
        retention: Retention::For(Duration::from_hours(7 * 24)),
        erasure: Erasure::NamesGo,
        belongs: Belongs::Copies("requests for an export, among them that for this one"),
        columns: &[
            column("id", Nobody, Pseudonym, "the request"),
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
                "who is to be given their data; taken out at the end",
            ),
            technical("state", "how it stands"),
            column(
                "requested_at",
                AccountHolder,
                Activity,
                "when it was asked for",
            ),
            technical("expires_at", "until when the archive is kept"),
            column("attempt", Nobody, Pseudonym, "the archive's file"),
            technical("claimed_until", "until when a worker is at it"),
            column(
                "key_sealed",
                AccountHolder,
                Credential,
                "the archive's own key, sealed; taken out at the end",
            ),
            technical("bytes", "how large the archive is"),
        ],
    },
    personal(
        SERVICE,
        "import",
        &ACCOUNTS,
        Retention::UntilDone,
        &[
            column(
                "user_id",
                AccountHolder,
                Pseudonym,
                "whose account is being taken from another instance",
            ),
            column(
                "archive",
                AccountHolder,
                Pseudonym,
                "a hash of the archive, to go on with the same one only",
            ),
            column(
                "secret",
                AccountHolder,
                Credential,
                "what ids for those whom the archive does not name are made from",
            ),
            column("begun_at", AccountHolder, Activity, "since when"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    Table {
        service: SERVICE,
        name: "erasure_service",
        activity: &ERASURE,
        retention: Retention::For(DONE),
        erasure: Erasure::Stays("it names a request, not a person"),
        belongs: Belongs::ToNobody,
        columns: &[
            column("event_id", Nobody, Pseudonym, "the request"),
            technical("service", "who is to delete"),
            technical("state", "whether they have"),
            technical("deleted", "how many rows"),
            column(
                "mails_under_way",
                Nobody,
                Pseudonym,
                "mails to the person that were being sent",
            ),
        ],
    },
];
