//! Ratings and what follows from them: an image's count, sum and rank.

mod group;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{EventId, ImageId, Rating, UserId};
use serde_json::json;
use uuid::Uuid;

use super::images::{self, Standing};
use super::{id_list, limits};
use crate::ranking;

pub(crate) use group::{RatingChange, Wish};

const EXISTING: Sql = Sql {
    sqlite: "SELECT image, rater, rating, event_id, rated_at FROM rating
             WHERE image IN (SELECT unhex(value) FROM json_each($1))
               AND rater IN (SELECT unhex(value) FROM json_each($2))",
    postgres: "SELECT image, rater, rating, event_id, rated_at FROM rating
               WHERE image IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))
                 AND rater IN (SELECT value::uuid FROM jsonb_array_elements_text($2::jsonb) AS v(value))",
};
const UPSERT: Sql = Sql {
    sqlite: "INSERT INTO rating (image, rater, rating, event_id, rated_at)
             SELECT unhex(value->>0), unhex(value->>1), value->>2, unhex(value->>3), value->>4
             FROM json_each($1) WHERE true
             ON CONFLICT (image, rater) DO UPDATE
             SET rating = excluded.rating, event_id = excluded.event_id, rated_at = excluded.rated_at",
    postgres: "INSERT INTO rating (image, rater, rating, event_id, rated_at)
               SELECT (value->>0)::uuid, (value->>1)::uuid, (value->>2)::bigint, (value->>3)::uuid, (value->>4)::bigint
               FROM jsonb_array_elements($1::jsonb) AS v(value)
               ON CONFLICT (image, rater) DO UPDATE
               SET rating = excluded.rating, event_id = excluded.event_id, rated_at = excluded.rated_at",
};
const AGGREGATE: Sql = Sql {
    sqlite: "UPDATE image SET rating_count = v.value->>1, rating_sum = v.value->>2, rank_value = v.value->>3
             FROM json_each($1) AS v WHERE image.id = unhex(v.value->>0)",
    postgres: "UPDATE image SET rating_count = (v.value->>1)::bigint, rating_sum = (v.value->>2)::bigint,
                                rank_value = (v.value->>3)::double precision
               FROM jsonb_array_elements($1::jsonb) AS v(value) WHERE image.id = (v.value->>0)::uuid",
};

const RATED: &str = "SELECT image FROM rating WHERE rater = $1 AND rating IS NOT NULL";
const COUNTED: Sql = Sql {
    sqlite: "SELECT image, COUNT(*), CAST(SUM(rating) AS BIGINT) FROM rating
             WHERE image IN (SELECT unhex(value) FROM json_each($1)) AND rating IS NOT NULL
               AND rater NOT IN (SELECT user_id FROM limited WHERE restricted = true) GROUP BY image",
    postgres: "SELECT image, COUNT(*), CAST(SUM(rating) AS BIGINT) FROM rating
               WHERE image IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))
                 AND rating IS NOT NULL
                 AND rater NOT IN (SELECT user_id FROM limited WHERE restricted = true) GROUP BY image",
};

/// Somebody's rating of an image: the image first, as in the primary key.
pub(crate) type Pair = (ImageId, UserId);

/// The ratings of some images by some people, read and locked, to be changed and written back together.
#[derive(Debug)]
pub(crate) struct Board {
    images: HashMap<Uuid, Standing>,
    ratings: HashMap<(Uuid, Uuid), Entry>,
    /// Whose ratings are kept and in no figure: they restricted what is done with their data.
    uncounted: HashSet<Uuid>,
    changed: HashSet<(Uuid, Uuid)>,
}

/// One rating, or what is left of one that was withdrawn. Later changes win.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// None once it is withdrawn.
    pub rating: Option<Rating>,
    /// The event that told of it last.
    pub event: EventId,
    /// When that was, in microseconds since 1970.
    pub at: i64,
}

type EntryRow = (Uuid, Uuid, Option<i64>, Uuid, i64);

impl Board {
    /// Reads what stands of these ratings and locks their images.
    pub(crate) async fn read(session: &mut Session, pairs: &[Pair]) -> Result<Self, DatabaseError> {
        let named: HashSet<Uuid> = pairs.iter().map(|(image, _)| image.0).collect();
        let raters: HashSet<Uuid> = pairs.iter().map(|(_, rater)| rater.0).collect();
        // Read when the images are locked: whoever recounts them has written who is restricted before.
        let images = images::standing(session, named.iter().copied()).await?;
        let uncounted = limits::of(session, raters.iter().copied())
            .await?
            .restricted;
        let (named, raters) = (id_list(named), id_list(raters));
        let text = EXISTING.text(session.dialect());
        let rows: Vec<EntryRow> =
            sql!(session, c => sqlx::query_as(text).bind(&named).bind(&raters).fetch_all(c).await)?;
        let mut ratings = HashMap::with_capacity(rows.len());
        for (image, rater, rating, event, at) in rows {
            let rating = rating
                .map(Rating::try_from)
                .transpose()
                .map_err(|_| DatabaseError::Damaged("rating.rating"))?;
            let event = EventId(event);
            ratings.insert((image, rater), Entry { rating, event, at });
        }
        Ok(Self {
            images,
            ratings,
            uncounted,
            changed: HashSet::new(),
        })
    }

    /// Whose image it is; none when there is no such image.
    pub(crate) fn owner(&self, image: ImageId) -> Option<UserId> {
        self.images
            .get(&image.0)
            .map(|standing| UserId(standing.owner))
    }

    /// Whether moderators hid the image.
    pub(crate) fn is_hidden(&self, image: ImageId) -> bool {
        let standing = self.images.get(&image.0);
        standing.is_some_and(|standing| standing.is_hidden)
    }

    /// What stands of a rating.
    pub(crate) fn entry(&self, (image, rater): Pair) -> Option<Entry> {
        self.ratings.get(&(image.0, rater.0)).copied()
    }

    /// Changes a rating, and its image's figures with it.
    pub(crate) fn set(&mut self, (image, rater): Pair, entry: Entry) {
        let Some(standing) = self.images.get_mut(&image.0) else {
            return;
        };
        let before = self.ratings.insert((image.0, rater.0), entry);
        self.changed.insert((image.0, rater.0));
        if self.uncounted.contains(&rater.0) {
            return;
        }
        if let Some(gone) = before.and_then(|before| before.rating) {
            standing.rating_count -= 1;
            standing.rating_sum -= i64::from(gone);
        }
        if let Some(new) = entry.rating {
            standing.rating_count += 1;
            standing.rating_sum += i64::from(new);
        }
    }

    /// Writes what was changed.
    pub(crate) async fn write(self, session: &mut Session) -> Result<(), DatabaseError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let (ratings, figures) = (self.rating_rows(), self.figure_rows());
        let (upsert, aggregate) = (
            UPSERT.text(session.dialect()),
            AGGREGATE.text(session.dialect()),
        );
        sql!(session, c => sqlx::query(upsert).bind(&ratings).execute(c).await.map(drop))?;
        sql!(session, c => sqlx::query(aggregate).bind(&figures).execute(c).await.map(drop))?;
        Ok(())
    }

    fn rating_rows(&self) -> String {
        let rows = self.changed.iter().filter_map(|pair| {
            let entry = self.ratings.get(pair)?;
            let (image, rater) = (pair.0.simple(), pair.1.simple());
            Some(json!([
                image,
                rater,
                entry.rating,
                entry.event.0.simple(),
                entry.at
            ]))
        });
        rows.collect::<serde_json::Value>().to_string()
    }

    fn figure_rows(&self) -> String {
        let images: HashSet<Uuid> = self.changed.iter().map(|(image, _)| *image).collect();
        figure_rows(images.iter().filter_map(|image| self.images.get(image)))
    }
}

fn figure_rows<'a>(images: impl Iterator<Item = &'a Standing>) -> String {
    let rows = images.map(|standing| {
        let (count, sum) = (standing.rating_count, standing.rating_sum);
        let rank = ranking::rank(standing.score, count, sum);
        json!([standing.id.simple(), count, sum, rank])
    });
    rows.collect::<serde_json::Value>().to_string()
}

/// The images that somebody rated.
pub(crate) async fn rated_by(
    session: &mut Session,
    rater: UserId,
) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_scalar(RATED).bind(rater.0).fetch_all(c).await)?)
}

/// Counts the ratings of all images that somebody rated, theirs only if they have not restricted what is done with
/// their data. Says which images have other figures now.
pub(crate) async fn recount(
    session: &mut Session,
    rater: UserId,
) -> Result<Vec<ImageId>, DatabaseError> {
    let named = rated_by(session, rater).await?;
    let mut images = images::standing(session, named.iter().copied()).await?;
    let (list, counted) = (id_list(named), COUNTED.text(session.dialect()));
    let rows: Vec<(Uuid, i64, i64)> =
        sql!(session, c => sqlx::query_as(counted).bind(&list).fetch_all(c).await)?;
    let counted: HashMap<_, _> = rows
        .into_iter()
        .map(|(id, n, sum)| (id, (n, sum)))
        .collect();
    images.retain(|id, standing| {
        let before = (standing.rating_count, standing.rating_sum);
        let now = counted.get(id).copied().unwrap_or_default();
        (standing.rating_count, standing.rating_sum) = now;
        now != before
    });
    let (figures, aggregate) = (
        figure_rows(images.values()),
        AGGREGATE.text(session.dialect()),
    );
    sql!(session, c => sqlx::query(aggregate).bind(&figures).execute(c).await.map(drop))?;
    Ok(images.into_keys().map(ImageId).collect())
}

/// Ratings that another producer told of, or our own events come back. One counts unless the image is unknown or the
/// rater's own, or something later is known already. Says which images have
/// other figures now.
pub(crate) async fn hear(
    session: &mut Session,
    heard: &[(Pair, Entry)],
) -> Result<Vec<ImageId>, DatabaseError> {
    let pairs: Vec<Pair> = heard.iter().map(|(pair, _)| *pair).collect();
    let mut board = Board::read(session, &pairs).await?;
    let mut changed = Vec::new();
    for (pair, heard) in heard {
        let is_for_another = board.owner(pair.0).is_some_and(|owner| owner != pair.1);
        let is_news = board
            .entry(*pair)
            .is_none_or(|known| known.event != heard.event && known.at < heard.at);
        if is_for_another && is_news {
            board.set(*pair, *heard);
            changed.push(pair.0);
        }
    }
    board.write(session).await?;
    Ok(changed)
}
