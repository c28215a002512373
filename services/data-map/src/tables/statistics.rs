//! Statistics: the rows that figures are counted from.

use super::{Table, column, personal, technical};
use crate::activities::{RIGHTS, STATISTICS};
use crate::belongs::{Belongs, person, photo};
use crate::model::Category::{Activity, Observation, Preference, Pseudonym, Rating, Score};
use crate::model::Whose::{AccountHolder, ImageOwner, Named, Rater};
use crate::model::{Erasure, Retention};

const SERVICE: &str = "statistics";
const OWN_PHOTOS: (&str, &str, &str) = ("tick", "image_id", "user_id");

pub(super) static TABLES: &[Table] = &[
    personal(
        SERVICE,
        "tick",
        &STATISTICS,
        Retention::Account,
        &[
            column("id", AccountHolder, Pseudonym, "the tick"),
            column("user_id", AccountHolder, Pseudonym, "who ticked"),
            technical("stands", "whether it was not taken back"),
            column("image_id", AccountHolder, Pseudonym, "the photo"),
            column("species_id", AccountHolder, Observation, "the species"),
            column(
                "scientific",
                AccountHolder,
                Observation,
                "its scientific name",
            ),
            column("english", AccountHolder, Observation, "its English name"),
            column("at", AccountHolder, Activity, "when it was ticked"),
            technical("revision", "how often it was corrected"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "rating",
        &STATISTICS,
        Retention::Account,
        &[
            column("user_id", Rater, Pseudonym, "who rated"),
            column("image_id", ImageOwner, Pseudonym, "the photo"),
            column("owner", ImageOwner, Pseudonym, "whose it is"),
            column("value", Rater, Rating, "1 to 5"),
            column("at", Rater, Activity, "when"),
            column("event_id", Rater, Pseudonym, "the event that said so last"),
        ],
    )
    .of(&[
        person("user_id", Rater),
        person("owner", ImageOwner),
        photo("image_id", OWN_PHOTOS).unless("owner"),
    ]),
    personal(
        SERVICE,
        "fact",
        &STATISTICS,
        Retention::EachStream,
        &[
            column("event_id", Named, Pseudonym, "the event"),
            column(
                "kind",
                Named,
                Activity,
                "what happened: a registration, a login, a mail, a score",
            ),
            column("user_id", Named, Pseudonym, "to whom"),
            column("image_id", ImageOwner, Pseudonym, "to which photo"),
            column("at", Named, Activity, "when"),
        ],
    )
    .of(&[person("user_id", Named), photo("image_id", OWN_PHOTOS)]),
    personal(
        SERVICE,
        "image_score",
        &STATISTICS,
        Retention::Account,
        &[
            column("image_id", ImageOwner, Pseudonym, "the photo"),
            column(
                "bucket",
                ImageOwner,
                Score,
                "its newest score, in steps of 0.2 from 1 to 5",
            ),
            column("at", ImageOwner, Activity, "when it was scored"),
            column(
                "event_id",
                ImageOwner,
                Pseudonym,
                "the event that said so last",
            ),
        ],
    )
    .of(&[photo("image_id", OWN_PHOTOS)]),
    personal(
        SERVICE,
        "person",
        &STATISTICS,
        Retention::Account,
        &[
            column(
                "user_id",
                AccountHolder,
                Pseudonym,
                "somebody who is counted",
            ),
            column("source", AccountHolder, Activity, "because of what"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "limited",
        &RIGHTS,
        Retention::Account,
        &[
            column(
                "user_id",
                AccountHolder,
                Pseudonym,
                "who is or was in no figure",
            ),
            column(
                "stands",
                AccountHolder,
                Preference,
                "whether that is so now",
            ),
            column(
                "unscored",
                AccountHolder,
                Preference,
                "whether they are in no figure about scores",
            ),
            column("changed_at", AccountHolder, Activity, "since when"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    Table {
        service: SERVICE,
        name: "retired",
        activity: &STATISTICS,
        retention: Retention::Unlimited,
        erasure: Erasure::Stays("a number of events that ended by their age"),
        belongs: Belongs::ToNobody,
        columns: &[
            technical("kind", "of which kind"),
            technical("n", "how many"),
        ],
    },
    Table {
        service: SERVICE,
        name: "sealed",
        activity: &STATISTICS,
        retention: Retention::Unlimited,
        erasure: Erasure::Stays("a number of events of one day, of five people or more"),
        belongs: Belongs::ToNobody,
        columns: &[
            technical("kind", "of which kind"),
            technical("day", "on which day"),
            technical("events", "how many"),
            technical("people_at_least", "whether five people were in it, or ten"),
        ],
    },
    Table {
        service: SERVICE,
        name: "held",
        activity: &STATISTICS,
        retention: Retention::Unlimited,
        erasure: Erasure::Stays(
            "what a figure of five people or more showed before somebody left it",
        ),
        belongs: Belongs::ToNobody,
        columns: &[
            technical("figure", "which figure"),
            technical("cell", "of which day, species or weeks"),
            technical("k", "for whom: cells of five people, or of ten"),
            technical("shown", "what it shows"),
            technical("since", "since when"),
        ],
    },
];
