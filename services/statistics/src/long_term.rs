//! Long-term facts: what happened on each day, in a file for analysis that names nobody, so that no erasure has to touch it.
//!
//! A day is written once, when it has settled, and never again: who is erased, restricted or objects afterwards was one of
//! at least ten people in each row, and who did so before is in none.

mod file;
mod merge;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use chassis::bus::Bus;
use chassis::clock::{Clock, micros};
use chassis::consumers::handled_until;
use chassis::database::{Database, Session};
use chassis::keys::create_private_folder;
use chassis::lifecycle::Lifecycle;
use tokio::io::AsyncWriteExt as _;

use crate::audience::Audience;
use crate::period::{DAY_MICROS, Period, start_of};
use crate::store::cells::Cell;
use crate::store::facts::Kind;
use crate::store::series::Counted;
use crate::store::{day, held, series};

pub(crate) use file::Row;

const EVERY: Duration = Duration::from_hours(1);
/// So long after its end a day is written: what was ticked by mistake is taken back by then.
const SETTLES: Duration = Duration::from_hours(24);
/// The streams whose events are counted.
const STREAMS: [&str; 5] = ["TICK", "RATE", "SCORE", "NOTIFICATION", "USER"];
const COUNTED: [Counted; 5] = [
    Counted::Ticks,
    Counted::Ratings,
    Counted::Facts(Kind::Score),
    Counted::Facts(Kind::Notification),
    Counted::Facts(Kind::Login),
];

/// The folder of the files, beside the photos in a data directory; it is made if it is missing.
pub(crate) fn folder(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = data_dir.join("objects").join("facts");
    create_private_folder(&folder)?;
    Ok(folder)
}

/// Writes days that have settled, until the stop.
pub(crate) async fn keep(
    (database, bus, clock): (Database, Bus, Clock),
    folder: PathBuf,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    loop {
        let written = write_settled((&database, &bus, &clock), &folder, &lifecycle).await;
        if let Err(error) = written {
            let error = format!("{error:#}");
            tracing::warn!(
                error,
                "a day's facts could not be written; trying again later"
            );
        }
        if !lifecycle.pause(EVERY).await {
            return Ok(());
        }
    }
}

async fn write_settled(
    (database, bus, clock): (&Database, &Bus, &Clock),
    folder: &Path,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    let mut handled = i64::MAX;
    for stream in STREAMS {
        handled = handled.min(handled_until(database, bus, stream).await?);
    }
    let settled_before = settled_before(clock.micros(), handled);
    let mut from = 0;
    while let Some(day) = day::next(&mut database.read().await?, from).await? {
        if day >= settled_before || lifecycle.is_stopping() {
            break;
        }
        from = day + 1;
        let file = folder.join(name(day)?);
        if tokio::fs::try_exists(&file).await? {
            continue;
        }
        let rows = rows(&mut database.read().await?, day).await?;
        write(&file, &file::of_day(day, &rows)?)
            .await
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// The first day that has not settled: one that ended too lately, or of which not all is handled.
fn settled_before(now: i64, handled: i64) -> i64 {
    let settled = now.saturating_sub(micros(SETTLES));
    settled.min(handled).div_euclid(DAY_MICROS)
}

fn name(day: i64) -> anyhow::Result<String> {
    let day = start_of(day).context("a day beyond all calendars")?;
    Ok(format!("{}.parquet", day.date_naive()))
}

/// What happened on a day, of which every row is about at least so many people as the public may see.
pub(crate) async fn rows(session: &mut Session, day: i64) -> anyhow::Result<Vec<Row>> {
    let k = Audience::Public.k();
    let mut rows = Vec::new();
    for counted in COUNTED {
        let days = series::by_day(session, counted, Period::of_day(day), k).await?;
        for (_, count) in days {
            let cell = (Cell::Day(counted, day), count);
            let shown = held::shown(session, &[cell], Audience::Public).await?;
            // Of a day that somebody left its sum alone may be told, and as it was.
            match shown.first().copied().flatten() {
                Some(shown) if shown == count => {
                    rows.extend(broken_down(session, counted, day, count).await?);
                }
                Some(shown) => rows.push(sum(counted, shown)),
                None => {}
            }
        }
    }
    Ok(rows)
}

async fn broken_down(
    session: &mut Session,
    counted: Counted,
    day: i64,
    count: i64,
) -> anyhow::Result<Vec<Row>> {
    let (period, k) = (Period::of_day(day), usize::try_from(Audience::Public.k())?);
    let row = |species: Option<String>, rating, count| Row {
        event: counted.as_str(),
        species,
        rating,
        count,
    };
    Ok(match counted {
        Counted::Ticks => {
            let cells = merge::merged(day::ticks_by_species(session, period).await?, k);
            let rows = cells.into_iter();
            rows.map(|(species, count)| row(species, None, count))
                .collect()
        }
        Counted::Ratings => {
            let cells = merge::merged(day::ratings_by_value(session, period).await?, k);
            let rows = cells.into_iter();
            rows.map(|(value, count)| row(None, value, count)).collect()
        }
        Counted::Facts(_) => vec![sum(counted, count)],
    })
}

fn sum(counted: Counted, count: i64) -> Row {
    Row {
        event: counted.as_str(),
        species: None,
        rating: None,
        count,
    }
}

/// A file is there whole or not at all.
async fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = file.parent().context("a file without a folder")?;
    let draft = file.with_extension("new");
    let mut written = tokio::fs::File::create(&draft).await?;
    written.write_all(bytes).await?;
    written.sync_all().await?;
    tokio::fs::rename(&draft, file).await?;
    tokio::fs::File::open(folder).await?.sync_all().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_settles_a_day_after_its_end_and_when_all_of_it_is_handled() {
        let now = 100 * DAY_MICROS;
        assert_eq!(settled_before(now - 1, i64::MAX), 98);
        assert_eq!(settled_before(now, i64::MAX), 99);
        assert_eq!(settled_before(now, 50 * DAY_MICROS + 1), 50);
    }

    #[test]
    fn a_file_is_named_by_its_day() {
        assert_eq!(name(0).unwrap(), "1970-01-01.parquet");
        assert!(name(i64::MAX).is_err());
    }
}
