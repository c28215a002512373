//! The parts of a SQLite file's pages that hold no rows, and what deleted ones have left there. What is where
//! in a page: <https://sqlite.org/fileformat2.html>, 1.3, 1.6 and 1.8.

use std::ops::Range;

use futures::TryStreamExt as _;
use sqlx::sqlite::SqlitePool;

use super::DatabaseError;
use super::pools::Flush;

/// So many pages are looked at in one go: a megabyte.
const LOOKED_AT: i64 = 256;
/// So many pages are written in one transaction: others that write wait for it some milliseconds.
const WRITTEN: usize = 64;
/// In a file of fewer pages (137 GB) no other page begins as those that hold rows do: the number of another page would be there.
const MOST_PAGES: i64 = 0x0200_0000;
/// The page with SQLite's lock begins here; nothing is in it.
const LOCK_AT: usize = 0x4000_0000;

const SLICE: &str = "WITH RECURSIVE page (number) AS (
        SELECT $1 UNION ALL SELECT number + 1 FROM page WHERE number < $2
    ) SELECT pgno, data FROM page CROSS JOIN sqlite_dbpage ON pgno = number";
const SOME: &str = "SELECT pgno, data FROM json_each($1) CROSS JOIN sqlite_dbpage ON pgno = value";
const WRITE: &str = "UPDATE sqlite_dbpage SET data = $2 WHERE pgno = $1";

/// A page with its number, from 1.
type Page = (i64, Vec<u8>);

/// Overwrites what the unused parts of all pages hold, a few pages at a time while others read and write. Says how many
/// pages held anything. What is deleted before it begins is in none of them after it.
pub(super) async fn overwrite(
    read: &SqlitePool,
    write: &SqlitePool,
) -> Result<usize, DatabaseError> {
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(read)
        .await?;
    if pages >= MOST_PAGES {
        sqlx::query("VACUUM").execute(write).await?;
        return Ok(0);
    }
    let Some((_, first)) = look(read, 1, 1).await?.pop() else {
        return Ok(0);
    };
    let layout = Layout::of(&first).ok_or(DatabaseError::Damaged("its first page"))?;
    let mut overwritten = 0;
    let mut from = 1;
    loop {
        let mut slice = look(read, from, from + LOOKED_AT - 1).await?;
        if slice.is_empty() {
            return Ok(overwritten);
        }
        slice.retain_mut(|page| layout.clean(page));
        let numbers: Vec<i64> = slice.iter().map(|(number, _)| *number).collect();
        for some in numbers.chunks(WRITTEN) {
            overwritten += clean(write, &layout, some).await?;
        }
        from += LOOKED_AT;
    }
}

/// The pages of a range, as far as there are any.
async fn look(read: &SqlitePool, from: i64, to: i64) -> Result<Vec<Page>, DatabaseError> {
    let slice = sqlx::query_as(SLICE).bind(from).bind(to);
    Ok(slice.fetch_all(read).await?)
}

/// Reads some pages again, as they may have changed since, and writes those of them that hold anything where no rows are.
async fn clean(
    write: &SqlitePool,
    layout: &Layout,
    numbers: &[i64],
) -> Result<usize, DatabaseError> {
    // Whoever empties the log after this makes it last.
    let mut work = write.begin_with(Flush::WithTheNext.begin_sqlite()).await?;
    let numbers = serde_json::json!(numbers).to_string();
    let mut pages: Vec<Page> = sqlx::query_as(SOME)
        .bind(numbers)
        .fetch(&mut *work)
        .try_collect()
        .await?;
    pages.retain_mut(|page| layout.clean(page));
    for (number, data) in &pages {
        let write = sqlx::query(WRITE).bind(number).bind(data);
        write.execute(&mut *work).await?;
    }
    work.commit().await?;
    Ok(pages.len())
}

/// What is the same for all pages of a file.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    /// In bytes.
    page: usize,
    /// The bytes of a page that SQLite uses.
    usable: usize,
    /// Whether some pages tell where the others belong (`auto_vacuum`).
    has_maps: bool,
}

impl Layout {
    /// As a file's first page tells it.
    fn of(first: &[u8]) -> Option<Self> {
        let page = match number_at(first, 16)? {
            1 => 0x1_0000,
            size => size,
        };
        Some(Self {
            page,
            usable: page.checked_sub(usize::from(*first.get(20)?))?,
            has_maps: first.get(52..56)? != [0; 4],
        })
    }

    /// Whether a page tells where others belong: the second one about as many as it has room for, then the one after those.
    fn is_map(&self, number: usize) -> bool {
        let pages = self.usable / 5 + 1;
        let Some(behind) = number.checked_sub(2) else {
            return false;
        };
        let lock = LOCK_AT / self.page + 1;
        let map = behind / pages * pages + 2;
        // Where the lock is, the map makes room for it.
        self.has_maps && number == if map == lock { map + 1 } else { map }
    }

    /// The part of a page that holds nothing, between the list of its cells and the first of them. None of a page
    /// without cells.
    fn unused(&self, number: usize, page: &[u8]) -> Option<Range<usize>> {
        if self.is_map(number) {
            return None;
        }
        let header = if number == 1 { 100 } else { 0 };
        let length = match page.get(header)? {
            2 | 5 => 12,
            10 | 13 => 8,
            _ => return None,
        };
        let start = header + length + 2 * number_at(page, header + 3)?;
        let end = match number_at(page, header + 5)? {
            0 => 0x1_0000,
            end => end,
        };
        (end <= self.usable).then_some(start..end)
    }

    /// Overwrites the unused part of a page; says whether anything was there.
    fn clean(&self, (number, page): &mut Page) -> bool {
        let unused = usize::try_from(*number)
            .ok()
            .and_then(|number| self.unused(number, page));
        let Some(part) = unused.and_then(|part| page.get_mut(part)) else {
            return false;
        };
        let held = part.iter().any(|byte| *byte != 0);
        part.fill(0);
        held
    }
}

/// The two bytes of a number in a page, the higher one first.
fn number_at(page: &[u8], at: usize) -> Option<usize> {
    let bytes = page.get(at..)?.first_chunk()?;
    Some(usize::from(u16::from_be_bytes(*bytes)))
}
