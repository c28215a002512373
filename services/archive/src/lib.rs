//! The archive that a person is given of all that is kept about them: what is in it, and how it is
//! written. It knows neither services nor databases.
//!
//! | in the zip | holds |
//! |---|---|
//! | `README.txt` | what the rest is, in plain words |
//! | `export.json` | the [`Document`]: everything, and what each field is |
//! | `schema.json` | the schema of that file |
//! | `ticks.csv` | the ticks as eBird takes them |
//! | `images/<id>/<size>.jpg` | the photos |

mod document;
mod ebird;
mod pack;
mod schema;
mod unpack;

pub use document::{
    Document, EventKind, EventRecord, Field, Holding, LeftOut, Letter, Photo, Purpose, Reader, Row,
};
pub use ebird::ticks_csv;
pub use pack::{PackError, Packer};
pub use schema::SCHEMA;
pub use unpack::{UnpackError, Unpacked};

/// The file with the document.
pub const DOCUMENT_FILE: &str = "export.json";
