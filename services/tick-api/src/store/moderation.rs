//! Reports about photos, and the cases that moderators decide.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use clients::moderation::{CaseState, Category, ListCases, Verdict};
use envelope::{ImageId, UserId};
use uuid::Uuid;

use super::id_list;

const REPORT: &str = "INSERT INTO report (id, image, reporter, category, note, reported_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (image, reporter) DO NOTHING";
// A case that waits goes on waiting since then.
const OPEN: &str =
    "INSERT INTO moderation_case (id, image, is_open, changed_at) VALUES ($1, $2, true, $3)
    ON CONFLICT (image) DO UPDATE SET is_open = true, changed_at = excluded.changed_at
    WHERE moderation_case.is_open = false";
const APPEAL: &str =
    "UPDATE moderation_case SET appeal = $2, appealed_at = $3, is_open = true, changed_at = $3
    WHERE image = $1 AND hidden_for IS NOT NULL AND appealed_at IS NULL";
const IS_KNOWN: &str = "SELECT COUNT(*) FROM moderation_case WHERE id = $1";
const HIDE: &str = "UPDATE moderation_case
    SET hidden_for = $3, appeal = NULL, appealed_at = NULL, is_open = false, changed_at = $2
    WHERE id = $1 AND hidden_for IS NULL";
const UNHIDE: &str =
    "UPDATE moderation_case SET hidden_for = NULL, is_open = false, changed_at = $2
    WHERE id = $1 AND hidden_for IS NOT NULL";
const DISMISS: &str = "UPDATE moderation_case SET is_open = false, changed_at = $2
    WHERE id = $1 AND is_open = true";

macro_rules! case {
    () => {
        "SELECT c.id, c.image, i.owner, c.is_open, c.changed_at, c.hidden_for, c.appeal, c.appealed_at
         FROM moderation_case AS c JOIN image AS i ON i.id = c.image WHERE "
    };
}

const QUEUE: &str = concat!(
    case!(),
    "c.is_open = true AND (c.changed_at, c.id) > ($1, $2) ORDER BY c.changed_at, c.id LIMIT $3"
);
const DECIDED: &str = concat!(
    case!(),
    "c.is_open = false AND (c.changed_at, c.id) < ($1, $2) ORDER BY c.changed_at DESC, c.id DESC LIMIT $3"
);
const COUNTS: Sql = Sql {
    sqlite: "SELECT image, category, COUNT(*) FROM report
             WHERE image IN (SELECT unhex(value) FROM json_each($1)) GROUP BY image, category",
    postgres: "SELECT image, category, COUNT(*) FROM report
               WHERE image IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))
               GROUP BY image, category",
};
const NEWEST: Sql = Sql {
    sqlite: "SELECT id, image, category, note, reported_at FROM (
                 SELECT id, image, category, note, reported_at,
                        ROW_NUMBER() OVER (PARTITION BY image ORDER BY reported_at DESC, id) AS nth
                 FROM report WHERE image IN (SELECT unhex(value) FROM json_each($1))) AS reports
             WHERE nth <= $2 ORDER BY image, nth",
    postgres: "SELECT id, image, category, note, reported_at FROM (
                   SELECT id, image, category, note, reported_at,
                          ROW_NUMBER() OVER (PARTITION BY image ORDER BY reported_at DESC, id) AS nth
                   FROM report
                   WHERE image IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))
               ) AS reports
               WHERE nth <= $2 ORDER BY image, nth",
};

/// A report to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewReport {
    /// Its id.
    pub id: Uuid,
    /// The photo.
    pub image: ImageId,
    /// Who reports.
    pub reporter: UserId,
    /// What is wrong.
    pub category: Category,
    /// The same in their words, sealed.
    pub note: Option<Vec<u8>>,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// A case, still sealed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct CaseRow {
    /// Its id.
    pub id: Uuid,
    /// The photo.
    pub image: Uuid,
    /// Whose it is.
    pub owner: Uuid,
    /// Whether something waits for a decision.
    pub is_open: bool,
    /// Since when that is so.
    pub changed_at: i64,
    /// Why others do not see the photo.
    pub hidden_for: Option<String>,
    /// What its owner says against that, sealed.
    pub appeal: Option<Vec<u8>>,
    /// When they said so.
    pub appealed_at: Option<i64>,
}

/// A report, still sealed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct ReportRow {
    /// Its id.
    pub id: Uuid,
    /// The photo.
    pub image: Uuid,
    /// What is wrong.
    pub category: String,
    /// The same in the reporter's words, sealed.
    pub note: Option<Vec<u8>>,
    /// When, in microseconds since 1970.
    pub reported_at: i64,
}

/// What came of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    /// It holds.
    Done,
    /// It was so already, or nothing waited for a decision.
    NoChange,
    /// There is no such case.
    Unknown,
}

/// Keeps a report, and opens the photo's case with `case` as its id if it is the first; the same person's second
/// report of a photo changes nothing.
pub(crate) async fn report(
    session: &mut Session,
    report: &NewReport,
    case: Uuid,
) -> Result<(), DatabaseError> {
    let (image, category) = (report.image.0, report.category.as_str());
    let rows = sql!(session, c => sqlx::query(REPORT).bind(report.id).bind(image)
        .bind(report.reporter.0).bind(category).bind(report.note.as_deref()).bind(report.at)
        .execute(c).await.map(|done| done.rows_affected()))?;
    if rows > 0 {
        sql!(session, c => sqlx::query(OPEN).bind(case).bind(image).bind(report.at)
            .execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Notes what the owner of a hidden photo says against that; the first appeal counts.
pub(crate) async fn appeal(
    session: &mut Session,
    image: ImageId,
    sealed: &[u8],
    now: i64,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(APPEAL).bind(image.0).bind(sealed).bind(now)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Decides a case.
pub(crate) async fn decide(
    session: &mut Session,
    case: Uuid,
    verdict: Verdict,
    now: i64,
) -> Result<Decided, DatabaseError> {
    let (text, category) = match verdict {
        Verdict::Hide(category) => (HIDE, Some(category.as_str())),
        Verdict::Unhide => (UNHIDE, None),
        Verdict::Dismiss => (DISMISS, None),
    };
    let rows = match category {
        Some(category) => sql!(session, c => sqlx::query(text).bind(case).bind(now).bind(category)
            .execute(c).await.map(|done| done.rows_affected()))?,
        None => sql!(session, c => sqlx::query(text).bind(case).bind(now)
            .execute(c).await.map(|done| done.rows_affected()))?,
    };
    if rows > 0 {
        return Ok(Decided::Done);
    }
    let known: i64 =
        sql!(session, c => sqlx::query_scalar(IS_KNOWN).bind(case).fetch_one(c).await)?;
    Ok(match known {
        0 => Decided::Unknown,
        _ => Decided::NoChange,
    })
}

/// A part of the cases.
pub(crate) async fn list(
    session: &mut Session,
    question: &ListCases,
) -> Result<Vec<CaseRow>, DatabaseError> {
    let (text, first) = match question.state {
        CaseState::Open => (QUEUE, (i64::MIN, Uuid::nil())),
        CaseState::Decided => (DECIDED, (i64::MAX, Uuid::max())),
    };
    let (at, id) = question.after.unwrap_or(first);
    Ok(
        sql!(session, c => sqlx::query_as(text).bind(at).bind(id).bind(question.limit)
        .fetch_all(c).await)?,
    )
}

/// How many people reported what about these photos.
pub(crate) async fn counts(
    session: &mut Session,
    images: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<(Uuid, String, i64)>, DatabaseError> {
    let list = id_list(images);
    let text = COUNTS.text(session.dialect());
    Ok(sql!(session, c => sqlx::query_as(text).bind(&list).fetch_all(c).await)?)
}

/// The newest reports about these photos, at most so many about each.
pub(crate) async fn newest(
    session: &mut Session,
    images: impl IntoIterator<Item = Uuid>,
    most: i64,
) -> Result<HashMap<Uuid, Vec<ReportRow>>, DatabaseError> {
    let list = id_list(images);
    let text = NEWEST.text(session.dialect());
    let rows: Vec<ReportRow> =
        sql!(session, c => sqlx::query_as(text).bind(&list).bind(most).fetch_all(c).await)?;
    let mut by_image: HashMap<Uuid, Vec<ReportRow>> = HashMap::new();
    for row in rows {
        by_image.entry(row.image).or_default().push(row);
    }
    Ok(by_image)
}
