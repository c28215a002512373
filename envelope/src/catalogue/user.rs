//! Accounts in the catalogue.

use super::{Contract, Producer, of_actor, published, read_by, samples};
use crate::{Version, schemas, user};

/// `user.register` 1.0.
pub static REGISTER_V1_0: Contract = Contract {
    entity: "user",
    kind: "register",
    version: Version::new(1, 0),
    stream: &super::USER,
    intent: "A new account was confirmed.",
    producer: Producer {
        service: "services/AuthAPI",
        trigger: "Someone followed the link in the confirmation mail.",
    },
    consumers: &[
        read_by(
            "user-api",
            "keeps the subject index: export and erasure find the event by person",
        ),
        read_by("statistics", "counts users"),
    ],
    key: "the new user",
    key_pointer: "/user/id",
    personal: &[of_actor("/user/id")],
    erasure: "Overwritten in the stream.",
    schema: schemas::of_data::<user::v1_0::Register>,
    sample: samples::user_register_v1_0,
    frozen: published!("user/register/1.0"),
};

/// `user.login` 1.0.
pub static LOGIN_V1_0: Contract = Contract {
    entity: "user",
    kind: "login",
    version: Version::new(1, 0),
    stream: &super::USER,
    intent: "A user logged in.",
    producer: Producer {
        service: "services/AuthAPI",
        trigger: "A login succeeded.",
    },
    consumers: &[
        read_by(
            "user-api",
            "keeps the subject index: export and erasure find the event by person",
        ),
        read_by("statistics", "counts logins by day"),
    ],
    key: "the user who logged in",
    key_pointer: "/user/id",
    personal: &[of_actor("/user/id")],
    erasure: "Overwritten in the stream; after 30 days it goes by itself.",
    schema: schemas::of_data::<user::v1_0::Login>,
    sample: samples::user_login_v1_0,
    frozen: published!("user/login/1.0"),
};

/// `user.limit` 1.0.
pub static LIMIT_V1_0: Contract = Contract {
    entity: "user",
    kind: "limit",
    version: Version::new(1, 0),
    stream: &super::USER,
    intent: "A user limited what is done with their data, or lifted such a limit.",
    producer: Producer {
        service: "services/UserAPI",
        trigger: "Someone restricted the processing of their data, objected to a purpose, withdrew a consent, or took that back.",
    },
    consumers: &[
        read_by(
            "user-api",
            "keeps the subject index: export and erasure find the event by person",
        ),
        read_by(
            "tick-api",
            "hides the photos of who restricted, drops the scores of who objected to them and the exact places of who does not consent to them",
        ),
        read_by("statistics", "leaves them out of all figures"),
    ],
    key: "the user whose data it is",
    key_pointer: "/user/id",
    personal: &[of_actor("/user/id")],
    erasure: "Overwritten in the stream; after 30 days it goes by itself.",
    schema: schemas::of_data::<user::v1_0::Limit>,
    sample: samples::user_limit_v1_0,
    frozen: published!("user/limit/1.0"),
};
