//! HTTP: problem documents, extractors that answer with them, and the layers around all routes.

mod cursor;
mod extract;
mod layers;
mod list;
mod problem;
mod unread;

pub use cursor::{Cursor, NotACursor};
pub use extract::{Json, Path, Query, body_within};
pub use layers::around;
pub use list::{List, ListQuery, PageRequest};
pub use problem::{FieldError, Problem};
