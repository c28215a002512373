//! `TickAPI`: ticks, photos and ratings.

use std::time::Duration;

use super::{Table, column, personal};
use crate::activities::{MODERATION, PLACES, RATINGS, RIGHTS, TICKS};
use crate::belongs::{person, photo};
use crate::model::Category::{
    Activity, Location, Observation, Photo, Preference, Pseudonym, Rating, Reason, Score,
};
use crate::model::Retention;
use crate::model::Whose::{AccountHolder, ImageOwner, Rater};

const SERVICE: &str = "tick-api";
const OWN_PHOTOS: (&str, &str, &str) = ("image", "id", "owner");

pub(super) static TABLES: &[Table] = &[
    personal(
        SERVICE,
        "image",
        &TICKS,
        Retention::Account,
        &[
            column("id", AccountHolder, Pseudonym, "the photo"),
            column("owner", AccountHolder, Pseudonym, "whose it is"),
            column("width", AccountHolder, Photo, "its width"),
            column("height", AccountHolder, Photo, "its height"),
            column(
                "created_at",
                AccountHolder,
                Activity,
                "when it was uploaded",
            ),
            column(
                "ticked_at",
                AccountHolder,
                Activity,
                "when it was first ticked",
            ),
            column("score", AccountHolder, Score, "what the model thinks of it"),
            column("reasons", AccountHolder, Score, "why"),
            column("scored_at", AccountHolder, Score, "when it was scored"),
            column("model", AccountHolder, Score, "which model scored it"),
            column("bytes", AccountHolder, Photo, "what its files take"),
            column(
                "content_hash",
                AccountHolder,
                Photo,
                "a keyed hash of the photo, to know it again",
            )
            .left_out("a keyed hash of the photo, which is here itself"),
            column(
                "rating_count",
                AccountHolder,
                Rating,
                "how many have rated it",
            ),
            column(
                "rating_sum",
                AccountHolder,
                Rating,
                "the sum of their ratings",
            ),
            column(
                "rank_value",
                AccountHolder,
                Rating,
                "its place among the best",
            ),
        ],
    )
    .of(&[person("owner", AccountHolder)]),
    personal(
        SERVICE,
        "upload",
        &TICKS,
        Retention::For(Duration::from_mins(10)),
        &[
            column(
                "id",
                AccountHolder,
                Pseudonym,
                "the photo that is being stored",
            ),
            column("owner", AccountHolder, Pseudonym, "whose it is"),
            column("begun_at", AccountHolder, Activity, "since when"),
            column("bytes", AccountHolder, Photo, "what its files take"),
        ],
    )
    .of(&[person("owner", AccountHolder)]),
    personal(
        SERVICE,
        "tick",
        &TICKS,
        Retention::Account,
        &[
            column("id", AccountHolder, Pseudonym, "the tick"),
            column("owner", AccountHolder, Pseudonym, "who ticked"),
            column("image", AccountHolder, Pseudonym, "the photo"),
            column("species", AccountHolder, Observation, "the species"),
            column(
                "seen_on",
                AccountHolder,
                Observation,
                "the day, as it was given",
            ),
            column("day", AccountHolder, Observation, "the day that counts"),
            column("birds", AccountHolder, Observation, "how many"),
            column("place", AccountHolder, Location, "where exactly: sealed")
                .opened()
                .needed_for(&PLACES),
            column("note", AccountHolder, Observation, "a note: sealed").opened(),
            column(
                "fingerprint",
                AccountHolder,
                Observation,
                "a keyed hash of what was sent, to know it again",
            )
            .left_out("a keyed hash of the tick, whose fields are here themselves"),
            column("created_at", AccountHolder, Activity, "when it was ticked"),
            column(
                "revision",
                AccountHolder,
                Activity,
                "how often it was corrected",
            ),
        ],
    )
    .of(&[person("owner", AccountHolder)]),
    personal(
        SERVICE,
        "deleted_tick",
        &TICKS,
        Retention::Account,
        &[
            column(
                "id",
                AccountHolder,
                Pseudonym,
                "a tick that was taken back, so that it does not come again",
            ),
            column("owner", AccountHolder, Pseudonym, "whose it was"),
            column(
                "deleted_at",
                AccountHolder,
                Activity,
                "when it was taken back",
            ),
        ],
    )
    .of(&[person("owner", AccountHolder)]),
    personal(
        SERVICE,
        "rating",
        &RATINGS,
        Retention::Account,
        &[
            column("image", ImageOwner, Pseudonym, "the photo"),
            column("rater", Rater, Pseudonym, "who rated"),
            column("rating", Rater, Rating, "1 to 5"),
            column("event_id", Rater, Pseudonym, "the event that said so last"),
            column("rated_at", Rater, Activity, "when"),
        ],
    )
    .of(&[person("rater", Rater), photo("image", OWN_PHOTOS)]),
    personal(
        SERVICE,
        "limited",
        &RIGHTS,
        Retention::Account,
        &[
            column("user_id", AccountHolder, Pseudonym, "whose data it is"),
            column(
                "restricted",
                AccountHolder,
                Preference,
                "whether others see nothing of it",
            ),
            column(
                "unscored",
                AccountHolder,
                Preference,
                "whether their photos have no scores",
            ),
            column(
                "unplaced",
                AccountHolder,
                Preference,
                "whether exact places of their sightings are not kept",
            ),
            column("changed_at", AccountHolder, Activity, "since when"),
        ],
    )
    .of(&[person("user_id", AccountHolder)]),
    personal(
        SERVICE,
        "report",
        &MODERATION,
        Retention::Account,
        &[
            column("id", AccountHolder, Pseudonym, "the report"),
            column("image", ImageOwner, Pseudonym, "the photo"),
            column("reporter", AccountHolder, Pseudonym, "who reported it"),
            column("category", AccountHolder, Activity, "what is wrong with it"),
            column(
                "note",
                AccountHolder,
                Reason,
                "the same in their words: sealed",
            )
            .opened(),
            column("reported_at", AccountHolder, Activity, "when"),
        ],
    )
    .of(&[person("reporter", AccountHolder)]),
    personal(
        SERVICE,
        "moderation_case",
        &MODERATION,
        Retention::Account,
        &[
            column("id", ImageOwner, Pseudonym, "the case"),
            column("image", ImageOwner, Pseudonym, "the photo"),
            column(
                "is_open",
                ImageOwner,
                Activity,
                "whether a moderator has to look at it",
            ),
            column("changed_at", ImageOwner, Activity, "since when"),
            column(
                "hidden_for",
                ImageOwner,
                Activity,
                "for what others do not see the photo",
            ),
            column(
                "appeal",
                ImageOwner,
                Reason,
                "what its owner says against that: sealed",
            )
            .opened(),
            column(
                "appealed_at",
                ImageOwner,
                Activity,
                "when its owner said so",
            ),
        ],
    )
    .of(&[photo("image", OWN_PHOTOS)]),
];
