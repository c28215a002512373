//! The event contract: envelope, event types, catalogue, schemas. No I/O.
//!
//! | module | holds |
//! |---|---|
//! | [`tick`], [`rate`], [`score`], [`notification`], [`gdpr`], [`user`], [`admin`] | the event types, one module per version |
//! | [`catalogue`] | what each event is for, who sends and reads it, which stream keeps it for how long, what is personal in it |
//! | [`fn@returned`] | an event that comes from another instance, to what is published here |
//! | [`mod@decode`], [`mod@seal`] | bytes from the broker to a checked event, and a new event to bytes |
//! | [`schemas`], [`compat`] | the JSON Schema of each event version, and the proof that minors stay compatible |
//! | [`cloudevents`], [`asyncapi`], [`page`] | the same contract for others: CloudEvents, AsyncAPI, a page for people |
//!
//! An event on the wire:
//!
//! ```json
//! {"id": "...", "type": "update", "version": "1.0", "data": {}, "metadata": {"source": "services/TickAPI", "time": "..."}}
//! ```
//!
//! Its entity and its key stand in the subject: `<entity>.<type>.v<major>.<key>`.

pub mod admin;
pub mod asyncapi;
pub mod catalogue;
pub mod cloudevents;
pub mod compat;
mod continued;
pub mod decode;
pub mod gdpr;
mod ids;
mod image_url;
mod message;
mod metadata;
pub mod notification;
pub mod page;
pub mod rate;
mod rating;
mod references;
mod returned;
pub mod schemas;
pub mod score;
pub mod seal;
mod subject;
pub mod tick;
pub mod user;
mod validators;
mod version;
mod whole;

pub use catalogue::{
    CATALOGUE, Consumer, Contract, Personal, Producer, READERS, Reader, Reading, STREAMS, Stream,
    Whose,
};
pub use catalogue::{consumed_by, contract, reader, readers_of, stream, versions};
pub use continued::is_continued;
pub use decode::{DecodeError, Decoded, Mention, Mentioned, decode};
pub use ids::{EventId, ImageId, TickId, UserId, derived_id};
pub use image_url::{ImageUrl, NotAnImageUrl};
pub use message::{Canonical, Envelope, Event};
pub use metadata::Metadata;
pub use rating::{NotARating, Rating};
pub use references::{ImageRef, OwnedImageRef, RequestRef, TickRef, UserRef};
pub use returned::returned;
pub use seal::{EncodeError, Outgoing, seal};
pub use subject::{BadSubject, Subject};
pub use validators::Violation;
pub use version::{NotAVersion, Version};

/// No event is larger than this, in bytes on the wire.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;
