//! HTTP: problem documents, extractors that answer with them, and the layers around all routes.

mod address;
mod cursor;
mod extract;
mod framing;
mod layers;
mod limits;
mod list;
mod policy;
mod problem;
mod serve;
mod unread;

pub use address::{ClientAddress, Proxies};
pub use cursor::{Cursor, NotACursor};
pub use extract::{Json, Path, Query, body_within};
pub use layers::around;
pub use limits::{By, LIMITS, Limit, Limits, count_account};
pub use list::{List, ListQuery, PageRequest};
pub use policy::Policy;
pub use problem::{FieldError, Problem};
pub use serve::{Connections, serve};
