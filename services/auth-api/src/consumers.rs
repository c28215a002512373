//! The table of consumed events.

use chassis::consumers::{BoundConsumers, Consumers};
use chassis::database::Database;

use crate::{App, erasure};

pub(crate) fn consumers(app: App, database: Database) -> BoundConsumers {
    Consumers::new()
        .on(erasure::erase)
        .with_state(app, database)
}
