//! Gathering what all services and streams hold about a person.

use std::collections::HashSet;

use anyhow::Context as _;
use archive::{Document, Holding, Photo, Row};
use chassis::access::Held;
use chassis::ids::{hide_ids, ids_in};
use chassis::rpc::ask_service;
use chrono::{DateTime, Utc};
use data_map::{Table, services, tables_of};
use envelope::{ImageId, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::events::{self, Events};
use super::folder::photo_files;
use super::{catalogue, letters};
use crate::App;
use crate::store::index;

/// How many ids are looked up in one statement.
const IDS: usize = 1000;

/// Everything about a person, as it is now.
pub(crate) async fn document(app: &App, user: UserId) -> anyhow::Result<Document> {
    let Events {
        records,
        photos: known,
    } = events::all(app, user).await?;
    let mut holdings = Vec::new();
    for service in services() {
        for table in tables_of(service).filter(|table| !table.owners().is_empty()) {
            let rows = rows(app, service, table, user).await?;
            holdings.push(catalogue::holding(service, table, rows));
        }
    }
    let images = images(&holdings)?;
    let document = Document {
        format: Document::FORMAT.to_owned(),
        made_at: app.clock.now(),
        person: user.0,
        purposes: catalogue::purposes(),
        event_kinds: catalogue::event_kinds(&records),
        dead_letters: letters::all(app, user, &images).await?,
        photos: photos(app, images).await?,
        left_out: catalogue::left_out(),
        holdings,
        events: records,
    };
    without_others(app, document, &known).await
}

/// What a table holds about the person, page by page, in an order that follows from the rows.
async fn rows(app: &App, service: &str, table: &Table, user: UserId) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut next = Some(String::new());
    while let Some(after) = next {
        let question = Held {
            user,
            table: table.name.to_owned(),
            after,
        };
        let page = ask_service(&app.bus, service, &question)
            .await
            .with_context(|| format!("cannot ask {service} for {}", table.name))?;
        rows.extend(page.rows);
        next = page.next;
    }
    rows.sort_by_cached_key(|row| Value::Object(row.clone()).to_string());
    Ok(rows)
}

/// The person's images, as TickAPI knows them.
fn images(holdings: &[Holding]) -> anyhow::Result<Vec<ImageId>> {
    let table = holdings
        .iter()
        .find(|holding| (holding.service.as_str(), holding.table.as_str()) == ("tick-api", "image"))
        .context("TickAPI has no images in the data map")?;
    let ids = table.rows.iter().map(|row| {
        let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
        Ok(ImageId(id.parse().context("an image's id is none")?))
    });
    ids.collect()
}

async fn photos(app: &App, images: Vec<ImageId>) -> anyhow::Result<Vec<Photo>> {
    let mut photos = Vec::with_capacity(images.len());
    for image in images {
        let mut files = Vec::new();
        for (size, name) in photo_files(image) {
            if app.objects.has(image, size).await? {
                files.push(name);
            }
        }
        photos.push(Photo { id: image.0, files });
    }
    Ok(photos)
}

/// A net below all that leaves others out: nobody else's id is in the document, wherever it stood. Photos are not
/// people, whosever they are.
async fn without_others(
    app: &App,
    document: Document,
    photos: &HashSet<Uuid>,
) -> anyhow::Result<Document> {
    let text = serde_json::to_string(&document)?;
    let mut ids = ids_in(text.as_bytes());
    ids.retain(|id| *id != document.person && !photos.contains(id));
    let mut others: Vec<Uuid> = Vec::new();
    let mut session = app.database.read().await?;
    for ids in ids.chunks(IDS) {
        others.extend(index::people_among(&mut session, ids).await?);
    }
    if others.is_empty() {
        return Ok(document);
    }
    others.sort_unstable();
    let text = hide_ids(&text, |id| others.binary_search(&id).is_ok());
    Ok(serde_json::from_str(&text)?)
}

/// When an event says that it happened.
pub(super) fn time_of(event: &Row) -> Option<DateTime<Utc>> {
    let time = event.get("metadata")?.get("time")?.as_str()?;
    time.parse().ok()
}
