//! What moderators are told of reported photos, and what comes of their decisions.

use chassis::database::DatabaseError;
use chassis::rpc::Refusal;
use chrono::{DateTime, Utc};
use clients::moderation::{Appeal, Case, CaseState, Category, DecideCase, ListCases, Report};
use envelope::{ImageId, UserId};
use uuid::Uuid;

use crate::App;
use crate::private::Private;
use crate::store::moderation::{self as store, CaseRow, Decided, ReportRow};

/// So many reports of a photo are told word by word: a page of cases has to fit into one answer.
const NEWEST: i64 = 3;
/// As many cases as a page of a list may have, and the one behind it.
const MOST: i64 = 101;

/// A part of the cases, with what was reported.
pub(crate) async fn list(app: App, mut question: ListCases) -> Result<Vec<Case>, Refusal> {
    question.limit = question.limit.clamp(1, MOST);
    let mut session = app.database.read().await?;
    let rows = store::list(&mut session, &question).await?;
    let images = || rows.iter().map(|row| row.image);
    let counts = store::counts(&mut session, images()).await?;
    let mut newest = store::newest(&mut session, images(), NEWEST).await?;
    drop(session);
    let cases = rows.iter().map(|row| {
        let newest = newest.remove(&row.image).unwrap_or_default();
        case(&app.private, row, (&counts, newest))
    });
    Ok(cases.collect::<Result<_, _>>()?)
}

/// Hides a photo, shows it again, or leaves everything as it is.
pub(crate) async fn decide(app: App, question: DecideCase) -> Result<(), Refusal> {
    let DecideCase { case, verdict } = question;
    let now = app.clock.micros();
    let mut work = app.database.begin().await?;
    let decided = store::decide(&mut work, case, verdict, now).await?;
    work.commit().await?;
    match decided {
        Decided::Done => Ok(()),
        Decided::NoChange => Err(Refusal::new("no-change")),
        Decided::Unknown => Err(Refusal::new("unknown-case")),
    }
}

fn case(
    private: &Private,
    row: &CaseRow,
    (counts, newest): (&[(Uuid, String, i64)], Vec<ReportRow>),
) -> Result<Case, DatabaseError> {
    let counts = counts.iter().filter(|(image, ..)| *image == row.image);
    let counts = counts.map(|(_, name, count)| Ok((category(name)?, *count)));
    let newest = newest.iter().map(|row| report(private, row));
    Ok(Case {
        id: row.id,
        image: ImageId(row.image),
        owner: UserId(row.owner),
        state: if row.is_open {
            CaseState::Open
        } else {
            CaseState::Decided
        },
        since: time(row.changed_at)?,
        hidden_for: row.hidden_for.as_deref().map(category).transpose()?,
        reports: counts.collect::<Result<_, DatabaseError>>()?,
        newest: newest.collect::<Result<_, _>>()?,
        appeal: appeal(private, row)?,
    })
}

fn report(private: &Private, row: &ReportRow) -> Result<Report, DatabaseError> {
    let note = row.note.as_deref();
    let note = note.map(|sealed| private.open_words(row.id, "note", sealed));
    Ok(Report {
        category: category(&row.category)?,
        note: note.transpose()?,
        reported_at: time(row.reported_at)?,
    })
}

fn appeal(private: &Private, row: &CaseRow) -> Result<Option<Appeal>, DatabaseError> {
    let (Some(sealed), Some(at)) = (&row.appeal, row.appealed_at) else {
        return Ok(None);
    };
    Ok(Some(Appeal {
        note: private.open_words(row.image, "appeal", sealed)?,
        appealed_at: time(at)?,
    }))
}

/// A category as it is kept.
pub(crate) fn category(name: &str) -> Result<Category, DatabaseError> {
    name.parse()
        .map_err(|_| DatabaseError::Damaged("a category of reports"))
}

fn time(micros: i64) -> Result<DateTime<Utc>, DatabaseError> {
    DateTime::from_timestamp_micros(micros).ok_or(DatabaseError::Damaged("times of reports"))
}
