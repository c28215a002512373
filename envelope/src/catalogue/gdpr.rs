//! Erasure in the catalogue.

use super::{Consumer, Contract, Producer, of_actor, published, read_by, samples};
use crate::{Version, gdpr, schemas};

/// `gdpr.delete` 1.0.
pub static DELETE_V1_0: Contract = Contract {
    entity: "gdpr",
    kind: "delete",
    version: Version::new(1, 0),
    stream: &super::GDPR,
    intent: "A user asked to be forgotten everywhere.",
    producer: Producer {
        service: "services/TickAPI",
        trigger: "A user asked for deletion and proved who they are.",
    },
    consumers: &[
        read_by(
            "tick-api",
            "fences the user, then deletes images, ticks and ratings",
        ),
        read_by("auth-api", "ends all sessions and deletes the credentials"),
        read_by(
            "user-api",
            "leads the request and deletes identity and events",
        ),
        read_by(
            "notifier",
            "deletes what waits to be sent and what was sent",
        ),
        read_by("statistics", "takes the user out of its counts"),
        read_by("admin-api", "shows the request and its deadline"),
    ],
    key: "the user who asked",
    key_pointer: "/user/id",
    personal: &[of_actor("/user/id")],
    erasure: "Overwritten at the end of the request; gdpr.erased stands in its place.",
    schema: schemas::of_data::<gdpr::v1_0::Delete>,
    sample: samples::gdpr_delete_v1_0,
    frozen: published!("gdpr/delete/1.0"),
};

const PURGED: Producer = Producer {
    service: super::EVERY_SERVICE,
    trigger: "A service that holds personal data committed the deletion.",
};

const READERS_OF_PURGED: &[Consumer] = &[read_by(
    "user-api",
    "goes on with the request once all receipts are there",
)];

/// `gdpr.purged` 1.0.
pub static PURGED_V1_0: Contract = Contract {
    entity: "gdpr",
    kind: "purged",
    version: Version::new(1, 0),
    stream: &super::GDPR,
    intent: "A service deleted all that it held about the person of a request.",
    producer: PURGED,
    consumers: READERS_OF_PURGED,
    key: "the request: the id of its gdpr.delete event",
    key_pointer: "/request/id",
    personal: &[],
    erasure: "Stays: it names nobody.",
    schema: schemas::of_data::<gdpr::v1_0::Purged>,
    sample: samples::gdpr_purged_v1_0,
    frozen: published!("gdpr/purged/1.0"),
};

/// `gdpr.purged` 1.1.
pub static PURGED_V1_1: Contract = Contract {
    entity: "gdpr",
    kind: "purged",
    version: Version::new(1, 1),
    stream: &super::GDPR,
    intent: "A service deleted all that it held about the person of a request, and says which mails it was too late for.",
    producer: PURGED,
    consumers: READERS_OF_PURGED,
    key: "the request: the id of its gdpr.delete event",
    key_pointer: "/request/id",
    personal: &[],
    erasure: "Stays: it names nobody.",
    schema: schemas::of_data::<gdpr::v1_1::Purged>,
    sample: samples::gdpr_purged_v1_1,
    frozen: published!("gdpr/purged/1.1"),
};

/// `gdpr.erased` 1.0.
pub static ERASED_V1_0: Contract = Contract {
    entity: "gdpr",
    kind: "erased",
    version: Version::new(1, 0),
    stream: &super::GDPR,
    intent: "A person is forgotten everywhere; only a keyed hash remains.",
    producer: Producer {
        service: "services/UserAPI",
        trigger: "All receipts are there, and a sweep through all streams found nothing more.",
    },
    consumers: &[read_by("admin-api", "shows that the request is done")],
    key: "the request: the id of its former gdpr.delete event",
    key_pointer: "/request/id",
    personal: &[],
    erasure: "Stays: it is the proof, and the hash tells nobody who it was.",
    schema: schemas::of_data::<gdpr::v1_0::Erased>,
    sample: samples::gdpr_erased_v1_0,
    frozen: published!("gdpr/erased/1.0"),
};
