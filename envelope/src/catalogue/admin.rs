//! Administration in the catalogue.

use super::{Contract, Producer, of_actor, of_recipient, published, read_by, samples};
use crate::{Version, admin, schemas};

/// `admin.audit` 1.0.
pub static AUDIT_V1_0: Contract = Contract {
    entity: "admin",
    kind: "audit",
    version: Version::new(1, 0),
    stream: &super::ADMIN,
    intent: "An administrator or moderator changed something, and says why.",
    producer: Producer {
        service: "services/AdminAPI",
        trigger: "A change in the dashboard was committed.",
    },
    consumers: &[
        read_by(
            "user-api",
            "keeps the subject index: export and erasure find the event by person",
        ),
        read_by("admin-api", "shows the audit log"),
    ],
    key: "the administrator",
    key_pointer: "/admin/id",
    personal: &[of_actor("/admin/id"), of_recipient("/target")],
    erasure: "Overwritten in the stream when the administrator or the target is erased.",
    schema: schemas::of_data::<admin::v1_0::Audit>,
    sample: samples::admin_audit_v1_0,
    frozen: published!("admin/audit/1.0"),
};
