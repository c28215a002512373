//! The data map: every field of an event, every column, stream, folder and log that Dipper writes,
//! with whose it is, what for, by which right, for how long, and what an erasure does to it.
//!
//! It is declared here once. The records of processing (Art. 30 GDPR), the tables of the privacy
//! notice and the list of places to scan are derived from it; a test compares it with what a running
//! instance has, and fails for whatever is missing on either side.

mod activities;
mod ages;
mod belongs;
mod fields;
mod imports;
mod model;
mod page;
mod records;
mod seals;
mod stores;
mod tables;

pub use activities::{ACTIVITIES, Activity, Basis};
pub use ages::{AGES, Age, Aged, EndedBy, aged_in};
pub use belongs::{Belongs, Export, Owner, Way};
pub use fields::{FIELDS, Fields, fields_of};
pub use imports::{IMPORTS, Import, import_of};
pub use model::{Category, End, Erasure, Item, Part, Place, Retention, Whose};
pub use page::{notice, records_page};
pub use records::{PlaceRecord, Record, Records, records};
pub use seals::{SEALS, Seal};
pub use stores::{BACKUP_LIFE, CAUGHT_MAIL, Kind, STORES, Store};
pub use tables::{SHARED, TABLES, Table, columns_of, services, tables_of};

/// Every item, in the order of events, tables and stores.
pub fn items() -> Vec<Item> {
    let mut items = fields::items();
    items.extend(tables::items());
    items.extend(stores::items());
    items
}
