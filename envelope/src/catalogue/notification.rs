//! Notifications in the catalogue.

use super::{Contract, Producer, of_recipient, published, read_by, samples};
use crate::{Version, notification, schemas};

/// `notification.email` 1.0.
pub static EMAIL_V1_0: Contract = Contract {
    entity: "notification",
    kind: "email",
    version: Version::new(1, 0),
    stream: &super::NOTIFICATION,
    intent: "A user was told by mail about an event; neither address nor text stands in it.",
    producer: Producer {
        service: "services/Notifier",
        trigger: "The mail server accepted the mail.",
    },
    consumers: &[
        read_by(
            "user-api",
            "keeps the subject index: export and erasure find the event by person",
        ),
        read_by("statistics", "counts notifications by day and kind"),
    ],
    key: "the user who got the mail",
    key_pointer: "/user/id",
    personal: &[of_recipient("/user/id")],
    erasure: "Overwritten in the stream.",
    schema: schemas::of_data::<notification::v1_0::Email>,
    sample: samples::notification_email_v1_0,
    frozen: published!("notification/email/1.0"),
};
