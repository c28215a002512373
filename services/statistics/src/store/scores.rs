//! How the scores of a species' images are spread.

use std::collections::BTreeMap;

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use envelope::{EventId, ImageId, UserId};

use super::limits::is_counted;

// As with ratings, the event id decides between scores of the same microsecond.
macro_rules! newest_wins {
    () => {
        " ON CONFLICT (image_id) DO UPDATE SET bucket = excluded.bucket, at = excluded.at, event_id = excluded.event_id
          WHERE (excluded.at, excluded.event_id) > (image_score.at, image_score.event_id)"
    };
}

const RECORD: Sql = Sql {
    sqlite: concat!(
        "INSERT INTO image_score (image_id, bucket, at, event_id)
         SELECT unhex(value->>0), value->>1, value->>2, unhex(value->>3) FROM json_each($1) WHERE true",
        newest_wins!()
    ),
    postgres: concat!(
        "INSERT INTO image_score (image_id, bucket, at, event_id)
         SELECT (value->>0)::uuid, (value->>1)::bigint, (value->>2)::bigint, (value->>3)::uuid
         FROM jsonb_array_elements($1::jsonb) AS v(value)",
        newest_wins!()
    ),
};

// The people of a score are those who ticked the image.
macro_rules! scores_of_a_species {
    () => {
        concat!(
            " FROM image_score JOIN tick ON tick.image_id = image_score.image_id
              WHERE tick.species_id = $1 AND tick.stands = true
                AND tick.user_id NOT IN (SELECT user_id FROM limited WHERE unscored = true) AND ",
            is_counted!()
        )
    };
}
const SPREAD: &str = concat!(
    "SELECT bucket, COUNT(DISTINCT image_score.image_id)",
    scores_of_a_species!(),
    " GROUP BY bucket HAVING COUNT(DISTINCT tick.user_id) >= $2 ORDER BY bucket"
);
const NEW: &str = concat!(
    "SELECT COUNT(DISTINCT tick.user_id)",
    scores_of_a_species!(),
    " AND bucket = $2 AND image_score.at > $3"
);
const LEFT_BY: &str = "SELECT DISTINCT tick.species_id, image_score.bucket
    FROM image_score JOIN tick ON tick.image_id = image_score.image_id
    WHERE tick.species_id IS NOT NULL
        AND tick.image_id IN (SELECT image_id FROM tick WHERE user_id = $1)";

/// How many buckets the scores from 1 to 5 fall into.
pub(crate) const BUCKETS: i64 = 20;

/// How a model scored an image, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scored {
    /// Which image.
    pub(crate) image: ImageId,
    /// From 1 to 5.
    pub(crate) score: f64,
    /// When.
    pub(crate) at: i64,
    /// The event that says so.
    pub(crate) event: EventId,
}

/// Keeps each score that is newer than what is known of its image.
pub(crate) async fn record(
    session: &mut Session,
    scores: impl Iterator<Item = Scored>,
) -> Result<(), DatabaseError> {
    // A statement may touch a row once only; in one order, so that two processes never wait for each other.
    let mut newest: BTreeMap<_, Scored> = BTreeMap::new();
    for scored in scores {
        let known = newest.entry(scored.image.0).or_insert(scored);
        if (scored.at, scored.event.0) > (known.at, known.event.0) {
            *known = scored;
        }
    }
    let rows = newest.values().map(|scored| {
        let (image, event) = (scored.image.0.simple(), scored.event.0.simple());
        (image, bucket_of(scored.score), scored.at, event)
    });
    session.write_rows(RECORD, rows.collect()).await
}

/// The buckets that images of at least `k` people are in, and how many images are.
pub(crate) async fn spread(
    session: &mut Session,
    species: &str,
    k: i64,
) -> Result<Vec<(i64, i64)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(SPREAD).bind(species).bind(k).fetch_all(c).await)?)
}

/// How many people have an image in a bucket that was scored after a moment.
pub(crate) async fn people_after(
    session: &mut Session,
    species: &str,
    bucket: i64,
    since: i64,
) -> Result<i64, DatabaseError> {
    Ok(
        sql!(session, c => sqlx::query_scalar(NEW).bind(species).bind(bucket).bind(since)
        .fetch_one(c).await)?,
    )
}

/// The species and buckets that somebody's images are in.
pub(crate) async fn left_by(
    session: &mut Session,
    user: UserId,
) -> Result<Vec<(String, i64)>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(LEFT_BY).bind(user.0).fetch_all(c).await)?)
}

/// Where a bucket begins and where it ends; the last one holds its end as well.
pub(crate) fn bounds_of(bucket: i64) -> (f64, f64) {
    let tenths = i32::try_from(bucket).unwrap_or_default() * 2;
    (f64::from(10 + tenths) / 10.0, f64::from(12 + tenths) / 10.0)
}

/// The bucket of a score.
fn bucket_of(score: f64) -> i64 {
    (0..BUCKETS)
        .rev()
        .find(|bucket| score >= bounds_of(*bucket).0)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_with_its_first_score_and_the_last_ends_with_the_best() {
        for (score, bucket) in [
            (1.0, 0),
            (1.199, 0),
            (1.2, 1),
            (2.2, 6),
            (3.0, 10),
            (4.799, 18),
            (4.8, 19),
            (5.0, 19),
        ] {
            assert_eq!(bucket_of(score), bucket, "{score}");
        }
        assert_eq!(bounds_of(0), (1.0, 1.2));
        assert_eq!(bounds_of(BUCKETS - 1), (4.8, 5.0));
    }
}
