//! Scores in the catalogue.

use super::{Consumer, Contract, Producer, of_image_owner, published, read_by, samples};
use crate::{Version, schemas, score};

const SCORED: Producer = Producer {
    service: "services/ScoreModel",
    trigger: "A tick with an image arrived, or a newer version of the model looked at what an older one scored; \
              the same tick, or picture and version, always gives the same event id.",
};

const READERS: &[Consumer] = &[
    read_by(
        "tick-api",
        "shows the score with the image and ranks the feed by it",
    ),
    read_by(
        "user-api",
        "keeps the subject index: export and erasure find the event by image",
    ),
    read_by("statistics", "counts scores by day and value"),
];

const ERASURE: &str = "Overwritten in the stream when the image's owner is erased.";

/// `score.update` 1.0.
pub static UPDATE_V1_0: Contract = Contract {
    entity: "score",
    kind: "update",
    version: Version::new(1, 0),
    stream: &super::SCORE,
    intent: "A model scored an image from its pixels.",
    producer: SCORED,
    consumers: READERS,
    key: "the image that was scored",
    key_pointer: "/image/url",
    personal: &[of_image_owner("/image/url")],
    erasure: ERASURE,
    schema: schemas::of_data::<score::v1_0::Update>,
    sample: samples::score_update_v1_0,
    frozen: published!("score/update/1.0"),
};

/// `score.update` 1.1.
pub static UPDATE_V1_1: Contract = Contract {
    entity: "score",
    kind: "update",
    version: Version::new(1, 1),
    stream: &super::SCORE,
    intent: "A model scored an image from its pixels, and may say which model it was and why.",
    producer: SCORED,
    consumers: READERS,
    key: "the image that was scored",
    key_pointer: "/image/url",
    personal: &[of_image_owner("/image/url")],
    erasure: ERASURE,
    schema: schemas::of_data::<score::v1_1::Update>,
    sample: samples::score_update_v1_1,
    frozen: published!("score/update/1.1"),
};
