//! Whether an archive holds what an export of one person holds: rows of tables that there are, the person's own, and
//! photos that belong to them. The archive's schema was checked when it was read.

use std::collections::HashSet;

use anyhow::{Context as _, bail, ensure};
use archive::{Document, Holding, Row};
use data_map::{Import, Owner, Table, Way, import_of, tables_of};
use envelope::ImageId;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

/// The sizes in which photos are kept.
const SIZES: [u32; 3] = [2048, 1024, 400];

/// A table's rows, and what becomes of them here.
pub(super) struct Checked<'a> {
    pub table: &'static Table,
    pub import: Import,
    pub rows: &'a [Row],
}

/// Whose an archive is, and which photos are theirs.
pub(super) struct Person {
    pub id: Uuid,
    pub photos: HashSet<Uuid>,
}

/// Checks the person's photos: their rows, and the names of their files.
pub(super) fn person(document: &Document) -> anyhow::Result<Person> {
    ensure!(!document.person.is_nil(), "the archive is nobody's");
    let mut photos = HashSet::new();
    for row in document.rows("tick-api", "image") {
        let id = id(row, "id").context("a photo in the archive has no id")?;
        ensure!(photos.insert(id), "the archive holds a photo twice");
    }
    let mut listed = HashSet::new();
    for photo in &document.photos {
        let is_known = photos.contains(&photo.id) && listed.insert(photo.id);
        ensure!(
            is_known,
            "the archive has files of a photo that it has no row of"
        );
        for file in &photo.files {
            let is_file = size_of(photo.id, file).is_some();
            ensure!(is_file, "{file} in the archive is no size of its photo");
        }
    }
    Ok(Person {
        id: document.person,
        photos,
    })
}

/// The size that a photo's file has by its name.
pub(super) fn size_of(photo: Uuid, file: &str) -> Option<u32> {
    let name = |size: &u32| format!("images/{}/{size}.jpg", ImageId(photo));
    SIZES.into_iter().find(|size| file == name(size))
}

/// Checks the rows of all tables.
pub(super) fn tables<'a>(
    document: &'a Document,
    person: &Person,
) -> anyhow::Result<Vec<Checked<'a>>> {
    let mut known = HashSet::new();
    let holdings = document.holdings.iter();
    let checked = holdings.map(|holding| {
        let (service, name) = (holding.service.as_str(), holding.table.as_str());
        let place = format!("holdings: {service}: {name} in the archive");
        ensure!(known.insert((service, name)), "{place} is there twice");
        let table = table_of(holding);
        let table = table.with_context(|| format!("{place} is no table that is known here"))?;
        let import = import_of(table).with_context(|| format!("{place} is nobody's"))?;
        for (number, row) in holding.rows.iter().enumerate() {
            check(table, row, person).with_context(|| format!("{place}, row {number}"))?;
        }
        Ok(Checked {
            table,
            import,
            rows: &holding.rows,
        })
    });
    checked.collect()
}

fn table_of(holding: &Holding) -> Option<&'static Table> {
    tables_of(&holding.service).find(|table| table.name == holding.table)
}

fn check(table: &Table, row: &Row, person: &Person) -> anyhow::Result<()> {
    for column in row.keys() {
        let is_known = table.columns.iter().any(|known| known.name == column);
        ensure!(is_known, "there is no column {column}");
    }
    let mut is_theirs = false;
    for owner in table.owners() {
        match theirs(owner, row, person) {
            Some(true) => is_theirs = true,
            Some(false) if owner.way == Way::Person => bail!("{} is somebody else", owner.column),
            Some(false) | None => {}
        }
    }
    ensure!(is_theirs, "it is not the person's");
    Ok(())
}

/// Whether a column says that the row is the person's; none where it says nothing.
fn theirs(owner: &Owner, row: &Row, person: &Person) -> Option<bool> {
    match owner.way {
        Way::Person => Some(id(row, owner.column)? == person.id),
        Way::Photo { .. } => Some(person.photos.contains(&id(row, owner.column)?)),
        Way::Text => {
            let text = row.get(owner.column)?.as_str()?.to_ascii_lowercase();
            Some(text.contains(&person.id.to_string()))
        }
    }
}

/// The id in a column.
pub(super) fn id(row: &Row, column: &str) -> Option<Uuid> {
    row.get(column).and_then(Value::as_str)?.parse().ok()
}

/// The value in a column; none where it is not what is expected.
pub(super) fn value<T: DeserializeOwned>(row: &Row, column: &str) -> Option<T> {
    serde_json::from_value(row.get(column)?.clone()).ok()
}

/// The only row of a table.
pub(super) fn only_row<'a>(
    document: &'a Document,
    service: &str,
    table: &str,
) -> anyhow::Result<&'a Row> {
    let mut rows = document.rows(service, table);
    match (rows.next(), rows.next()) {
        (Some(row), None) => Ok(row),
        _ => bail!("holdings: {service}: {table} in the archive must have one row"),
    }
}
