//! Parked events: each waits with its lane, so that what comes later of the same key comes later
//! here too, and nobody else waits.

use std::collections::HashSet;

use async_nats::HeaderMap;
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::offered::{Offered, Place};
use crate::bus::header_value;
use crate::database::{DatabaseError, Session, Sql, json_text};
use crate::sql;

/// One consumer's part of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lot {
    pub consumer: &'static str,
    pub stream: &'static str,
}

/// What an event waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Another event of its lane is before it.
    Waiting,
    /// It is tried again when its time has come.
    Retry,
    /// Something that it depends on is away.
    Error,
    /// Somebody has to decide.
    Failed,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Retry => "retry",
            Self::Error => "error",
            Self::Failed => "failed",
        }
    }
}

/// Why an event is parked.
#[derive(Clone, Debug)]
pub(crate) struct Parking {
    pub status: Status,
    pub dependency: Option<String>,
    /// A stable word.
    pub reason: String,
    /// In words without values.
    pub detail: String,
    pub attempts: i64,
    /// When it is tried again, in microseconds since 1970.
    pub due_at: i64,
}

impl Parking {
    /// Behind another of its lane.
    pub fn behind(attempts: i64) -> Self {
        Self {
            status: Status::Waiting,
            dependency: None,
            reason: String::new(),
            detail: String::new(),
            attempts,
            due_at: 0,
        }
    }

    /// Until somebody decides.
    pub fn failed(attempts: i64, reason: &str, detail: String) -> Self {
        Self {
            status: Status::Failed,
            reason: reason.to_owned(),
            detail,
            ..Self::behind(attempts)
        }
    }
}

/// The first event of a lane, whose time has come.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Head {
    pub lane: String,
    pub status: String,
    pub dependency: Option<String>,
}

/// Goes from lane to lane, instead of over all that is parked.
macro_rules! every_lane {
    () => {
        "WITH RECURSIVE lanes(lane) AS (
            SELECT MIN(lane) FROM parked WHERE consumer = $1 AND stream = $2 AND lane IS NOT NULL
            UNION ALL
            SELECT (SELECT MIN(next.lane) FROM parked AS next
                    WHERE next.consumer = $1 AND next.stream = $2 AND next.lane > lanes.lane)
            FROM lanes WHERE lanes.lane IS NOT NULL)"
    };
}

/// So many lanes are compared here; of more, the database is given a list.
const FEW: i64 = 64;

const INSERT: Sql = Sql {
    sqlite: "INSERT INTO parked (consumer, stream, incarnation, sequence, lane, event_id, subject, headers, body,
                people, status, dependency, reason, detail, attempts, due_at, parked_at)
             SELECT value->>0, value->>1, value->>2, value->>3, value->>4, unhex(value->>5), value->>6, value->>7,
                unhex(value->>8), value->>9, value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, value->>16
             FROM json_each($1) WHERE true
             ON CONFLICT DO NOTHING",
    postgres: "INSERT INTO parked (consumer, stream, incarnation, sequence, lane, event_id, subject, headers, body,
                people, status, dependency, reason, detail, attempts, due_at, parked_at)
               SELECT value->>0, value->>1, (value->>2)::bigint, (value->>3)::bigint, value->>4, (value->>5)::uuid,
                value->>6, value->>7, decode(value->>8, 'hex'), value->>9, value->>10, value->>11, value->>12,
                value->>13, (value->>14)::bigint, (value->>15)::bigint, (value->>16)::bigint
               FROM jsonb_array_elements($1::jsonb) AS v(value)
               ON CONFLICT DO NOTHING",
};
const FIND: &str = "SELECT sequence FROM parked
    WHERE consumer = $1 AND stream = $2 AND incarnation = $3 AND sequence = $4";
/// The lanes that hold parked events, a few of them. Each is found by one look into the index,
/// however many events wait in it.
const FEW_LANES: &str = concat!(
    every_lane!(),
    " SELECT lane FROM lanes WHERE lane IS NOT NULL LIMIT $3"
);
const LANES: Sql = Sql {
    sqlite: "SELECT DISTINCT lane FROM parked WHERE consumer = $1 AND stream = $2
             AND lane IN (SELECT value FROM json_each($3))",
    postgres: "SELECT DISTINCT lane FROM parked WHERE consumer = $1 AND stream = $2
               AND lane IN (SELECT value FROM jsonb_array_elements_text($3::jsonb) AS v(value))",
};
/// As many wait behind the first of a lane as like: only the first is looked at.
const HEADS: &str = concat!(
    every_lane!(),
    ", oldest AS (
        SELECT lane, (SELECT MIN(incarnation) FROM parked
                      WHERE consumer = $1 AND stream = $2 AND lane = lanes.lane) AS incarnation
        FROM lanes WHERE lane IS NOT NULL),
      heads AS (
        SELECT incarnation, (SELECT MIN(sequence) FROM parked
                             WHERE consumer = $1 AND stream = $2 AND lane = oldest.lane
                               AND incarnation = oldest.incarnation) AS sequence
        FROM oldest)
     SELECT head.lane, head.status, head.dependency FROM heads
     JOIN parked AS head ON head.consumer = $1 AND head.stream = $2
         AND head.incarnation = heads.incarnation AND head.sequence = heads.sequence
     WHERE head.status <> 'failed' AND head.due_at <= $3
     ORDER BY head.due_at, head.incarnation, head.sequence LIMIT $4"
);
const NEXT_DUE: &str = "SELECT MIN(due_at) FROM parked
    WHERE consumer = $1 AND stream = $2 AND lane IS NOT NULL AND status IN ('retry', 'error')";
const OF_LANE: &str =
    "SELECT incarnation, sequence, subject, headers, body, attempts, parked_at FROM parked
    WHERE consumer = $1 AND stream = $2 AND lane = $3 ORDER BY incarnation, sequence LIMIT $4";
const TAKE: Sql = Sql {
    sqlite: "DELETE FROM parked WHERE consumer = $1 AND stream = $2 AND (incarnation, sequence) IN
             (SELECT value->>0, value->>1 FROM json_each($3)) RETURNING sequence",
    postgres: "DELETE FROM parked WHERE consumer = $1 AND stream = $2 AND (incarnation, sequence) IN
               (SELECT (value->>0)::bigint, (value->>1)::bigint FROM jsonb_array_elements($3::jsonb) AS v(value))
               RETURNING sequence",
};
const DEPENDENTS_DUE: &str = "UPDATE parked SET due_at = $4
    WHERE consumer = $1 AND stream = $2 AND dependency = $3 AND status = 'error'";
// What goes from here has become of an event as well: the account of what was offered stays whole.
const COUNT_ERASED: &str = "UPDATE progress SET erased = erased + (SELECT count(*) FROM parked
        WHERE parked.consumer = progress.consumer AND parked.stream = progress.stream AND people LIKE $1)
    WHERE EXISTS (SELECT 1 FROM parked
        WHERE parked.consumer = progress.consumer AND parked.stream = progress.stream AND people LIKE $1)";
const ERASE: &str = "DELETE FROM parked WHERE people LIKE $1";

#[derive(Debug, FromRow)]
struct Row {
    incarnation: i64,
    sequence: i64,
    subject: String,
    headers: String,
    body: Vec<u8>,
    attempts: i64,
    parked_at: i64,
}

impl Lot {
    /// Whether an event is parked.
    pub async fn holds(
        self,
        session: &mut Session,
        offered: &Offered,
    ) -> Result<bool, DatabaseError> {
        let Place {
            incarnation,
            sequence,
        } = offered.place;
        let found: Option<i64> = sql!(session, c => sqlx::query_scalar(FIND).bind(self.consumer)
            .bind(self.stream).bind(incarnation).bind(sequence.cast_signed()).fetch_optional(c).await)?;
        Ok(found.is_some())
    }

    /// Parks events.
    pub async fn insert(
        self,
        session: &mut Session,
        parked: &[(&Offered, Parking)],
        now: i64,
    ) -> Result<(), DatabaseError> {
        if parked.is_empty() {
            return Ok(());
        }
        let rows = parked
            .iter()
            .map(|(offered, parking)| self.row(offered, parking, now));
        session.write_rows(INSERT, rows.collect()).await
    }

    fn row(self, offered: &Offered, parking: &Parking, now: i64) -> Value {
        let people: Vec<String> = offered.people().iter().map(Uuid::to_string).collect();
        json!([
            self.consumer,
            self.stream,
            offered.place.incarnation,
            offered.place.sequence,
            offered.lane(),
            offered.event_id().map(|id| id.simple().to_string()),
            offered.subject,
            headers_to_text(&offered.headers),
            hex::encode(&offered.body),
            people.join(" "),
            parking.status.as_str(),
            parking.dependency,
            parking.reason,
            parking.detail,
            parking.attempts,
            parking.due_at,
            offered.parked_at.unwrap_or(now),
        ])
    }

    /// Which of these lanes hold parked events.
    pub async fn occupied(
        self,
        session: &mut Session,
        lanes: &HashSet<&str>,
    ) -> Result<HashSet<String>, DatabaseError> {
        let few: Vec<String> = sql!(session, c => sqlx::query_scalar(FEW_LANES)
            .bind(self.consumer).bind(self.stream).bind(FEW).fetch_all(c).await)?;
        if i64::try_from(few.len()).is_ok_and(|few| few < FEW) {
            let occupied = few.into_iter().filter(|lane| lanes.contains(&**lane));
            return Ok(occupied.collect());
        }
        let (list, text) = (json_text(lanes)?, LANES.text(session.dialect()));
        let found: Vec<String> = sql!(session, c => sqlx::query_scalar(text)
            .bind(self.consumer).bind(self.stream).bind(&list).fetch_all(c).await)?;
        Ok(found.into_iter().collect())
    }

    /// The first events of lanes that are to be tried now.
    pub async fn due(
        self,
        session: &mut Session,
        now: i64,
        limit: i64,
    ) -> Result<Vec<Head>, DatabaseError> {
        Ok(sql!(session, c => sqlx::query_as(HEADS)
            .bind(self.consumer).bind(self.stream).bind(now).bind(limit).fetch_all(c).await)?)
    }

    /// When the next event is to be tried, if any is.
    pub async fn next_due(self, session: &mut Session) -> Result<Option<i64>, DatabaseError> {
        Ok(sql!(session, c => sqlx::query_scalar(NEXT_DUE)
            .bind(self.consumer).bind(self.stream).fetch_one(c).await)?)
    }

    /// The events of a lane in their order.
    pub async fn of_lane(
        self,
        session: &mut Session,
        lane: &str,
        limit: i64,
    ) -> Result<Vec<Offered>, DatabaseError> {
        let rows: Vec<Row> = sql!(session, c => sqlx::query_as(OF_LANE)
            .bind(self.consumer).bind(self.stream).bind(lane).bind(limit).fetch_all(c).await)?;
        Ok(rows.into_iter().map(Offered::from).collect())
    }

    /// Takes events out. False when another process was faster with one of them.
    pub async fn take(
        self,
        session: &mut Session,
        places: impl Iterator<Item = Place>,
    ) -> Result<bool, DatabaseError> {
        let places: Vec<Value> = places
            .map(|place| json!([place.incarnation, place.sequence]))
            .collect();
        let wanted = places.len();
        let list = Value::from(places).to_string();
        let text = TAKE.text(session.dialect());
        let taken: Vec<i64> = sql!(session, c => sqlx::query_scalar(text)
            .bind(self.consumer).bind(self.stream).bind(&list).fetch_all(c).await)?;
        Ok(taken.len() == wanted)
    }

    /// When all that wait for a dependency are to be tried.
    pub async fn set_dependents_due(
        self,
        session: &mut Session,
        dependency: &str,
        at: i64,
    ) -> Result<(), DatabaseError> {
        sql!(session, c => sqlx::query(DEPENDENTS_DUE).bind(self.consumer).bind(self.stream)
            .bind(dependency).bind(at).execute(c).await.map(drop))?;
        Ok(())
    }
}

/// Deletes the parked events that name a person or an image.
pub(crate) async fn erase(session: &mut Session, person: Uuid) -> Result<u64, DatabaseError> {
    let pattern = format!("%{person}%");
    sql!(session, c => sqlx::query(COUNT_ERASED).bind(&pattern).execute(c).await.map(drop))?;
    Ok(
        sql!(session, c => sqlx::query(ERASE).bind(&pattern).execute(c).await.map(|done| done.rows_affected()))?,
    )
}

impl From<Row> for Offered {
    fn from(row: Row) -> Self {
        let place = Place {
            incarnation: row.incarnation,
            sequence: row.sequence.unsigned_abs(),
        };
        let headers = headers_from_text(&row.headers);
        Self {
            attempts: row.attempts,
            parked_at: Some(row.parked_at),
            ..Self::new(place, row.subject, headers, row.body.into())
        }
    }
}

fn headers_to_text(headers: &HeaderMap) -> String {
    let pairs = headers.iter().flat_map(|(name, values)| {
        values
            .iter()
            .map(move |value| (name.to_string(), value.as_str().to_owned()))
    });
    json!(pairs.collect::<Vec<_>>()).to_string()
}

pub(crate) fn headers_from_text(text: &str) -> HeaderMap {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if let Ok(value) = header_value(&value) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_back_as_they_were() {
        let mut headers = HeaderMap::new();
        headers.append("traceparent", header_value("00-ab").unwrap());
        headers.append("X-Two", header_value("one").unwrap());
        headers.append("X-Two", header_value("two, and more").unwrap());
        assert_eq!(headers_from_text(&headers_to_text(&headers)), headers);
        assert!(headers_from_text("no json").is_empty());
    }
}
