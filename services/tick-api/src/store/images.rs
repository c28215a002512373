//! Images: rows, scores, the feed.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chassis::database::{DatabaseError, Session, Sql};
use chassis::http::Cursor;
use chassis::sql;
use clients::tick::{ScoredByOther, ScoredByOthers};
use envelope::{ImageId, UserId};
use uuid::Uuid;

use super::id_list;
use crate::ranking;

/// An image as people see it; `$1` is who looks, and sees their own though it is restricted or hidden. With several
/// species in one picture, the first tick's is shown.
macro_rules! view {
    () => {
        "SELECT i.id, i.score, i.reasons, i.model, i.rating_count, i.rating_sum, i.rank_value, i.ticked_at,
                (SELECT t.species FROM tick AS t WHERE t.image = i.id AND t.species IS NOT NULL
                 ORDER BY t.created_at, t.id LIMIT 1) AS species,
                r.rating AS my_rating, m.hidden_for, m.appealed_at
         FROM image AS i LEFT JOIN rating AS r ON r.image = i.id AND r.rater = $1
              LEFT JOIN moderation_case AS m ON m.image = i.id
         WHERE (i.owner = $1
                OR (m.hidden_for IS NULL
                    AND NOT EXISTS (SELECT 1 FROM limited AS l WHERE l.user_id = i.owner AND l.restricted = true)))
           AND "
    };
}

const FIND: &str = concat!(view!(), "i.id = $2");
const NEW: &str = concat!(
    view!(),
    "i.ticked_at IS NOT NULL AND (i.ticked_at, i.id) < ($2, $3)
     ORDER BY i.ticked_at DESC, i.id DESC LIMIT $4"
);
const BEST: &str = concat!(
    view!(),
    "i.ticked_at IS NOT NULL AND (i.rank_value, i.id) < ($2, $3)
     ORDER BY i.rank_value DESC, i.id DESC LIMIT $4"
);
const INSERT: &str =
    "INSERT INTO image (id, owner, width, height, created_at, rank_value, bytes, content_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const SAME: &str =
    "SELECT id FROM image WHERE owner = $1 AND content_hash = $2 ORDER BY created_at, id LIMIT 1";
/// Pictures without an owner's file stand for photos that are elsewhere, and have no score of ours.
const SCORED_BY_OTHERS: &str = "SELECT id, owner, model FROM image
    WHERE scored_at IS NOT NULL AND score IS NOT NULL AND id > $1 AND (model IS NULL OR model <> $2)
    ORDER BY id LIMIT $3";
const OWNER: &str = "SELECT i.owner, l.user_id, m.id FROM image AS i
    LEFT JOIN limited AS l ON l.user_id = i.owner AND l.restricted = true
    LEFT JOIN moderation_case AS m ON m.image = i.id AND m.hidden_for IS NOT NULL WHERE i.id = $1";
/// Locked in one order, so that two groups of requests never wait for each other. SQLite has one writer anyway.
const STANDING: Sql = Sql {
    sqlite: "SELECT id, owner, ticked_at, score, scored_at, rating_count, rating_sum,
                    EXISTS (SELECT 1 FROM moderation_case AS m WHERE m.image = image.id AND m.hidden_for IS NOT NULL)
                        AS is_hidden
             FROM image WHERE id IN (SELECT unhex(value) FROM json_each($1))",
    postgres: "SELECT id, owner, ticked_at, score, scored_at, rating_count, rating_sum,
                      EXISTS (SELECT 1 FROM moderation_case AS m WHERE m.image = image.id AND m.hidden_for IS NOT NULL)
                          AS is_hidden
               FROM image WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))
               ORDER BY id FOR NO KEY UPDATE",
};
const SET_SCORES: Sql = Sql {
    sqlite: "UPDATE image SET score = v.value->>1, reasons = v.value->>2, scored_at = v.value->>3,
                              rank_value = v.value->>4, model = v.value->>5
             FROM json_each($1) AS v WHERE image.id = unhex(v.value->>0)
                AND NOT EXISTS (SELECT 1 FROM limited WHERE limited.user_id = image.owner AND limited.unscored = true)",
    postgres: "UPDATE image SET score = (v.value->>1)::double precision, reasons = v.value->>2,
                                scored_at = (v.value->>3)::bigint, rank_value = (v.value->>4)::double precision,
                                model = v.value->>5
               FROM jsonb_array_elements($1::jsonb) AS v(value) WHERE image.id = (v.value->>0)::uuid
                  AND NOT EXISTS (SELECT 1 FROM limited WHERE limited.user_id = image.owner AND limited.unscored = true)",
};

/// A new image.
#[derive(Clone, Debug)]
pub(crate) struct NewImage {
    /// Its id.
    pub id: ImageId,
    /// Who uploaded it.
    pub owner: UserId,
    /// Width of the largest size in pixels.
    pub width: u32,
    /// Height of the largest size in pixels.
    pub height: u32,
    /// What the files of all sizes take.
    pub bytes: u64,
    /// Keyed hash of the largest size.
    pub content_hash: String,
}

/// An image as people see it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct ImageRow {
    /// Its id.
    pub id: Uuid,
    /// ScoreModel's score.
    pub score: Option<f64>,
    reasons: Option<String>,
    /// Which model scored it.
    pub model: Option<String>,
    /// How many ratings stand.
    pub rating_count: i64,
    /// Their sum.
    pub rating_sum: i64,
    /// What the feed is ordered by.
    pub rank_value: f64,
    /// Since when a tick shows it.
    pub ticked_at: Option<i64>,
    /// The species of its first tick that names one.
    pub species: Option<String>,
    /// What the one who looks rated.
    pub my_rating: Option<i64>,
    /// Why others do not see it.
    pub hidden_for: Option<String>,
    /// When its owner objected to that.
    pub appealed_at: Option<i64>,
}

impl ImageRow {
    /// Why the score is what it is.
    pub(crate) fn reasons(&self) -> Result<Vec<String>, DatabaseError> {
        match &self.reasons {
            Some(list) => {
                serde_json::from_str(list).map_err(|_| DatabaseError::Damaged("image.reasons"))
            }
            None => Ok(Vec::new()),
        }
    }
}

/// What the changes to an image need to know of it.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(crate) struct Standing {
    pub(super) id: Uuid,
    /// Whose it is.
    pub owner: Uuid,
    /// Since when a tick shows it.
    pub ticked_at: Option<i64>,
    /// ScoreModel's score.
    pub score: Option<f64>,
    scored_at: Option<i64>,
    /// How many ratings stand.
    pub rating_count: i64,
    /// Their sum.
    pub rating_sum: i64,
    /// Whether moderators hid it.
    pub is_hidden: bool,
}

impl Standing {
    /// Whether it stands for a photo of another instance, and is nobody's.
    pub(crate) fn stands_in(&self) -> bool {
        self.owner.is_nil()
    }
}

/// Who sees an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeenBy {
    /// All.
    Everybody,
    /// Only whose it is: they restricted what is done with their data.
    Owner(UserId),
    /// Whose it is, and moderators, who hid it.
    OwnerAndModerators(UserId),
}

/// How the feed is ordered, and after which row it goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FeedOrder {
    /// By the time of the first tick, the newest first.
    New(Cursor<i64>),
    /// By rank, the best first.
    Best(Cursor<f64>),
}

/// A score that came in.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    /// 1 to 5.
    pub value: f64,
    /// Why, the weightiest reason first.
    pub reasons: Vec<String>,
    /// Which model gave it, if it said so.
    pub model: Option<String>,
    /// When it was given, in microseconds since 1970.
    pub at: i64,
}

/// Writes a new image's row.
pub(crate) async fn insert(
    session: &mut Session,
    image: &NewImage,
    now: i64,
) -> Result<(), DatabaseError> {
    let rank = ranking::rank(None, 0, 0);
    let (width, height) = (i64::from(image.width), i64::from(image.height));
    sql!(session, c => sqlx::query(INSERT).bind(image.id.0).bind(image.owner.0)
        .bind(width).bind(height).bind(now).bind(rank).bind(whole(image.bytes)).bind(&image.content_hash)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// A number of bytes as databases have it.
pub(crate) fn whole(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The first of the owner's pictures that is the same as a new one.
pub(crate) async fn same(
    session: &mut Session,
    image: &NewImage,
) -> Result<Option<ImageId>, DatabaseError> {
    let found: Option<Uuid> = sql!(session, c => sqlx::query_scalar(SAME)
        .bind(image.owner.0).bind(&image.content_hash).fetch_optional(c).await)?;
    Ok(found.map(ImageId))
}

/// Pictures that other models have scored, by their ids.
pub(crate) async fn scored_by_others(
    session: &mut Session,
    question: &ScoredByOthers,
) -> Result<Vec<ScoredByOther>, DatabaseError> {
    let after = question.after.map_or(Uuid::nil(), |image| image.0);
    let limit = i64::from(question.limit);
    let rows: Vec<(Uuid, Uuid, Option<String>)> = sql!(session, c => sqlx::query_as(SCORED_BY_OTHERS)
        .bind(after).bind(&question.model).bind(limit).fetch_all(c).await)?;
    let rows = rows.into_iter().map(|(image, owner, model)| ScoredByOther {
        image: ImageId(image),
        owner: UserId(owner),
        model,
    });
    Ok(rows.collect())
}

/// Who sees an image, if there is one.
pub(crate) async fn seen_by(
    session: &mut Session,
    image: ImageId,
) -> Result<Option<SeenBy>, DatabaseError> {
    let found: Option<(Uuid, Option<Uuid>, Option<Uuid>)> =
        sql!(session, c => sqlx::query_as(OWNER).bind(image.0).fetch_optional(c).await)?;
    Ok(
        found.map(|(owner, restricted, hidden)| match (restricted, hidden) {
            (Some(_), _) => SeenBy::Owner(UserId(owner)),
            (None, Some(_)) => SeenBy::OwnerAndModerators(UserId(owner)),
            (None, None) => SeenBy::Everybody,
        }),
    )
}

/// An image as `viewer` sees it.
pub(crate) async fn find(
    session: &mut Session,
    viewer: Option<UserId>,
    image: ImageId,
) -> Result<Option<ImageRow>, DatabaseError> {
    let viewer = viewer.map(|user| user.0);
    let row = sql!(session, c => sqlx::query_as(FIND).bind(viewer).bind(image.0).fetch_optional(c).await)?;
    Ok(row)
}

/// A part of the feed as `viewer` sees it.
pub(crate) async fn feed(
    session: &mut Session,
    viewer: Option<UserId>,
    order: FeedOrder,
    limit: i64,
) -> Result<Vec<ImageRow>, DatabaseError> {
    let viewer = viewer.map(|user| user.0);
    let rows = match order {
        FeedOrder::New(after) => sql!(session, c => sqlx::query_as(NEW).bind(viewer)
            .bind(after.key).bind(after.id).bind(limit).fetch_all(c).await)?,
        FeedOrder::Best(after) => sql!(session, c => sqlx::query_as(BEST).bind(viewer)
            .bind(after.key).bind(after.id).bind(limit).fetch_all(c).await)?,
    };
    Ok(rows)
}

/// What is known of these images, locked against other changes until the end of the transaction.
pub(crate) async fn standing(
    session: &mut Session,
    images: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Standing>, DatabaseError> {
    let list = id_list(images);
    let text = STANDING.text(session.dialect());
    let rows: Vec<Standing> =
        sql!(session, c => sqlx::query_as(text).bind(&list).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Sets images' scores, except of images that are unknown, have a later one, or whose owner objects to scores.
pub(crate) async fn set_scores(
    session: &mut Session,
    scores: &[(ImageId, Score)],
) -> Result<(), DatabaseError> {
    // A statement may touch a row once only; of two at the same time the one that came later wins.
    let mut newest: HashMap<Uuid, &Score> = HashMap::new();
    for (image, score) in scores {
        let known = newest.entry(image.0).or_insert(score);
        if known.at <= score.at {
            *known = score;
        }
    }
    let known = standing(session, newest.keys().copied()).await?;
    let rows = newest.iter().filter_map(|(image, score)| {
        let before = known.get(image)?;
        if before.scored_at.is_some_and(|at| at > score.at) {
            return None;
        }
        let rank = ranking::rank(Some(score.value), before.rating_count, before.rating_sum);
        let reasons = serde_json::Value::from(score.reasons.as_slice()).to_string();
        Some((
            image.simple(),
            score.value,
            reasons,
            score.at,
            rank,
            score.model.clone(),
        ))
    });
    session.write_rows(SET_SCORES, rows.collect()).await
}
