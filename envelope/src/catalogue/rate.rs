//! Ratings in the catalogue.

use super::{
    Consumer, Contract, Deprecation, Producer, of_actor, of_image_owner, published, read_by,
    samples,
};
use crate::{Version, rate, schemas};

const READERS_OF_UPDATE: &[Consumer] = &[
    read_by(
        "tick-api",
        "adds ratings from other producers to the image's aggregate",
    ),
    read_by(
        "user-api",
        "keeps the subject index: export and erasure find the event by person",
    ),
    read_by("notifier", "tells the image's owner"),
    read_by("statistics", "counts ratings by day and value"),
];

const ERASURE: &str = "Overwritten in the stream when rater or owner is erased: an erased rater's value leaves the \
aggregates, and of an erased owner's image the rater keeps only what they rated, in their own rows.";

/// Version 2 says whose image it is.
pub static UPDATE_V1: Deprecation = Deprecation {
    entity: "rate",
    kind: "update",
    major: 1,
    sunset: "2027-11-30T00:00:00Z",
};

/// `rate.update` 1.0.
pub static UPDATE_V1_0: Contract = Contract {
    entity: "rate",
    kind: "update",
    version: Version::new(1, 0),
    stream: &super::RATE,
    intent: "A user rated somebody else's image, or changed the rating.",
    producer: Producer {
        service: "services/TickAPI",
        trigger: "An old client publishes it itself; TickAPI sends version 2.0.",
    },
    consumers: READERS_OF_UPDATE,
    key: "the user who rated",
    key_pointer: "/user/id",
    personal: &[of_actor("/user/id"), of_image_owner("/image_url")],
    erasure: ERASURE,
    schema: schemas::of_data::<rate::v1_0::Update>,
    sample: samples::rate_update_v1_0,
    frozen: published!("rate/update/1.0"),
};

/// `rate.update` 2.0.
pub static UPDATE_V2_0: Contract = Contract {
    entity: "rate",
    kind: "update",
    version: Version::new(2, 0),
    stream: &super::RATE,
    intent: "A user rated somebody else's image, or changed the rating; the event says whose image it is.",
    producer: Producer {
        service: "services/TickAPI",
        trigger: "A user's rating was accepted: it is committed together with this event.",
    },
    consumers: READERS_OF_UPDATE,
    key: "the user who rated",
    key_pointer: "/user/id",
    personal: &[
        of_actor("/user/id"),
        of_image_owner("/image/url"),
        of_image_owner("/image/owner"),
    ],
    erasure: ERASURE,
    schema: schemas::of_data::<rate::v2_0::Update>,
    sample: samples::rate_update_v2_0,
    frozen: published!("rate/update/2.0"),
};

/// `rate.delete` 1.0.
pub static DELETE_V1_0: Contract = Contract {
    entity: "rate",
    kind: "delete",
    version: Version::new(1, 0),
    stream: &super::RATE,
    intent: "A user took a rating of theirs back.",
    producer: Producer {
        service: "services/TickAPI",
        trigger: "A user withdrew a rating.",
    },
    consumers: &[
        read_by("notifier", "does not tell of a rating that was taken back"),
        read_by(
            "tick-api",
            "takes ratings of other producers out of the image's aggregate",
        ),
        read_by(
            "user-api",
            "keeps the subject index: export and erasure find the event by person",
        ),
        read_by("statistics", "takes the rating out of its counts"),
    ],
    key: "the user whose rating it was",
    key_pointer: "/user/id",
    personal: &[of_actor("/user/id"), of_image_owner("/image/url")],
    erasure: "Overwritten in the stream when rater or owner is erased.",
    schema: schemas::of_data::<rate::v1_0::Delete>,
    sample: samples::rate_delete_v1_0,
    frozen: published!("rate/delete/1.0"),
};
