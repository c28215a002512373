//! Ticks in the catalogue.

use super::{Consumer, Contract, Personal, Producer, of_actor, published, read_by, samples};
use crate::{Version, schemas, tick};

const CREATED: Producer = Producer {
    service: "services/TickAPI",
    trigger: "A user's tick was accepted: it is committed together with this event.",
};

const READERS_OF_NEW: &[Consumer] = &[
    read_by(
        "user-api",
        "keeps the subject index: export and erasure find the event by person",
    ),
    read_by("score-model", "scores the image from its pixels"),
    read_by("statistics", "counts ticks by day, species and place"),
    read_by(
        "notifier",
        "knows whose image it is, which ratings of version 1 do not say",
    ),
];

/// `tick.new` 1.0.
pub static NEW_V1_0: Contract = Contract {
    entity: "tick",
    kind: "new",
    version: Version::new(1, 0),
    stream: &super::TICK,
    intent: "A user ticked a bird with an image of their own.",
    producer: CREATED,
    consumers: READERS_OF_NEW,
    key: "the user who ticked",
    key_pointer: "/user/id",
    personal: &[of_actor("/user/id"), of_actor("/image/url")],
    erasure: "Overwritten in the stream; tick, image and everything counted from it go too.",
    schema: schemas::of_data::<tick::v1_0::New>,
    sample: samples::tick_new_v1_0,
    frozen: published!("tick/new/1.0"),
};

const ALL_OF_V1_1: &[Personal] = &[
    of_actor("/user/id"),
    of_actor("/image/url"),
    of_actor("/seen_on"),
    of_actor("/place"),
];

/// `tick.new` 1.1.
pub static NEW_V1_1: Contract = Contract {
    entity: "tick",
    kind: "new",
    version: Version::new(1, 1),
    stream: &super::TICK,
    intent: "A user ticked a bird with an image of their own, and may say what, when, how many and roughly where.",
    producer: CREATED,
    consumers: READERS_OF_NEW,
    key: "the user who ticked",
    key_pointer: "/user/id",
    personal: ALL_OF_V1_1,
    erasure: "Overwritten in the stream; tick, image and everything counted from it go too.",
    schema: schemas::of_data::<tick::v1_1::New>,
    sample: samples::tick_new_v1_1,
    frozen: published!("tick/new/1.1"),
};

/// `tick.update` 1.0.
pub static UPDATE_V1_0: Contract = Contract {
    entity: "tick",
    kind: "update",
    version: Version::new(1, 0),
    stream: &super::TICK,
    intent: "A user corrected a tick of theirs; the event says all of it, as it is from now on.",
    producer: Producer {
        service: "services/TickAPI",
        trigger: "A user's correction was accepted: it is committed together with this event.",
    },
    consumers: &[
        read_by(
            "user-api",
            "keeps the subject index, and overwrites the events that said what was corrected",
        ),
        read_by(
            "score-model",
            "scores the image, unless that was done when it was ticked: the first event may be gone by now",
        ),
        read_by("statistics", "counts what is said now instead"),
        read_by(
            "notifier",
            "knows whose image it is: the event that said so first may be gone by now",
        ),
    ],
    key: "the user whose tick it is",
    key_pointer: "/user/id",
    personal: ALL_OF_V1_1,
    erasure: "Overwritten in the stream, as soon as a later correction takes its place; tick, image and everything counted \
from it go too.",
    schema: schemas::of_data::<tick::v1_0::Update>,
    sample: samples::tick_update_v1_0,
    frozen: published!("tick/update/1.0"),
};

/// `tick.delete` 1.0.
pub static DELETE_V1_0: Contract = Contract {
    entity: "tick",
    kind: "delete",
    version: Version::new(1, 0),
    stream: &super::TICK,
    intent: "A user took a tick of theirs back.",
    producer: Producer {
        service: "services/TickAPI",
        trigger: "A user deleted a tick of theirs.",
    },
    consumers: &[
        read_by(
            "user-api",
            "keeps the subject index: export and erasure find the event by person",
        ),
        read_by("statistics", "takes the tick out of its counts"),
    ],
    key: "the user whose tick it was",
    key_pointer: "/user/id",
    personal: &[of_actor("/user/id")],
    erasure: "Overwritten in the stream.",
    schema: schemas::of_data::<tick::v1_0::Delete>,
    sample: samples::tick_delete_v1_0,
    frozen: published!("tick/delete/1.0"),
};
