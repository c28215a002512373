//! Many new ticks in one transaction, with a few statements for all of them together.

use std::collections::{HashMap, HashSet};

use chassis::database::{DatabaseError, Session, Sql};
use chassis::group_commit::Change;
use chassis::sql;
use chassis::unit_of_work::{Draft, Work, WorkError};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::NewTick;
use crate::error::Error;
use crate::store::id_list;
use crate::store::images::{self, Standing};
use crate::store::limits::{self, Limited};

/// A deleted tick has no fingerprint: no request is the same as its.
const EXISTING: Sql = Sql {
    sqlite: "SELECT id, owner, fingerprint, created_at FROM tick
             WHERE id IN (SELECT unhex(value) FROM json_each($1))
             UNION ALL
             SELECT id, owner, NULL, deleted_at FROM deleted_tick
             WHERE id IN (SELECT unhex(value) FROM json_each($1))",
    postgres: "SELECT id, owner, fingerprint, created_at FROM tick
               WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))
               UNION ALL
               SELECT id, owner, NULL, deleted_at FROM deleted_tick
               WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS v(value))",
};
const INSERT: Sql = Sql {
    sqlite: "INSERT INTO tick (id, owner, image, species, seen_on, day, birds, place, note, fingerprint, created_at)
             SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), value->>3, value->>4, value->>5,
                    value->>6, unhex(value->>7), unhex(value->>8), value->>9, value->>10
             FROM json_each($1)",
    postgres: "INSERT INTO tick (id, owner, image, species, seen_on, day, birds, place, note, fingerprint, created_at)
               SELECT (value->>0)::uuid, (value->>1)::uuid, (value->>2)::uuid, value->>3, (value->>4)::date,
                      (value->>5)::date, (value->>6)::bigint, decode(value->>7, 'hex'), decode(value->>8, 'hex'),
                      value->>9, (value->>10)::bigint
               FROM jsonb_array_elements($1::jsonb) AS v(value)",
};
const ENTER_FEED: Sql = Sql {
    sqlite: "UPDATE image SET ticked_at = $1
             WHERE ticked_at IS NULL AND id IN (SELECT unhex(value) FROM json_each($2))",
    postgres: "UPDATE image SET ticked_at = $1
               WHERE ticked_at IS NULL
                 AND id IN (SELECT value::uuid FROM jsonb_array_elements_text($2::jsonb) AS v(value))",
};

type ExistingRow = (Uuid, Uuid, Option<String>, i64);

/// What a group has to know before its ticks can be judged.
struct Known {
    erased: HashSet<Uuid>,
    limited: Limited,
    ticks: HashMap<Uuid, Existing>,
    images: HashMap<Uuid, Standing>,
}

struct Existing {
    owner: Uuid,
    /// None: the tick was deleted.
    fingerprint: Option<String>,
    created_at: DateTime<Utc>,
}

enum Verdict {
    New,
    /// The same request was accepted before, at this time.
    Repeated(DateTime<Utc>),
}

impl Change for NewTick {
    /// When the tick was made: now, or when the same request came first.
    type Answer = Result<DateTime<Utc>, Error>;

    async fn apply(work: &mut Work, changes: &[Self]) -> Result<Vec<Self::Answer>, WorkError> {
        let mut known = Known::read(work, changes).await?;
        let mut accepted = Vec::with_capacity(changes.len());
        let mut answers = Vec::with_capacity(changes.len());
        for tick in changes {
            answers.push(known.judge(tick).map(|verdict| match verdict {
                Verdict::Repeated(first) => first,
                Verdict::New => {
                    known.ticks.insert(tick.id.0, Existing::of(tick));
                    accepted.push(tick);
                    tick.created_at
                }
            }));
        }
        if !accepted.is_empty() {
            insert(work, &accepted).await?;
            known.enter_feed(work, &accepted).await?;
        }
        for tick in accepted {
            let draft = Draft::new(tick.event.clone()).with_id(tick.id.into());
            work.publish(draft.traced(tick.trace))?;
        }
        Ok(answers)
    }
}

impl Known {
    async fn read(work: &mut Work, changes: &[NewTick]) -> Result<Self, DatabaseError> {
        let users: HashSet<Uuid> = changes.iter().map(|tick| tick.event.user.id.0).collect();
        let users: Vec<Uuid> = users.into_iter().collect();
        let named: HashSet<Uuid> = changes.iter().map(|tick| tick.image().0).collect();
        Ok(Self {
            erased: work.erased_among(&users).await?,
            limited: limits::of(work, users).await?,
            ticks: existing(work, changes).await?,
            images: images::standing(work, named).await?,
        })
    }

    fn judge(&self, tick: &NewTick) -> Result<Verdict, Error> {
        let user = tick.event.user.id.0;
        if self.erased.contains(&user) {
            return Err(Error::CallerGone);
        }
        if let Some(existing) = self.ticks.get(&tick.id.0) {
            return existing.compare(user, tick).map(Verdict::Repeated);
        }
        if self.limited.restricted.contains(&user) {
            return Err(Error::Restricted);
        }
        if tick.place.is_some() && self.limited.unplaced.contains(&user) {
            return Err(Error::PlaceWithdrawn);
        }
        match self.images.get(&tick.image().0) {
            None => Err(Error::UnknownImage),
            Some(image) if image.owner != user => Err(Error::NotOwnImage),
            Some(_) => Ok(Verdict::New),
        }
    }

    /// Mostly the images are in the feed already, and there is nothing to write.
    async fn enter_feed(&self, work: &mut Work, ticks: &[&NewTick]) -> Result<(), DatabaseError> {
        let hidden: HashSet<Uuid> = ticks
            .iter()
            .filter_map(|tick| self.images.get(&tick.image().0))
            .filter(|image| image.ticked_at.is_none())
            .map(|image| image.id)
            .collect();
        if hidden.is_empty() {
            return Ok(());
        }
        let (now, list) = (work.clock().micros(), id_list(hidden));
        let text = ENTER_FEED.text(work.dialect());
        sql!(work, c => sqlx::query(text).bind(now).bind(&list).execute(c).await.map(drop))?;
        Ok(())
    }
}

impl Existing {
    fn of(tick: &NewTick) -> Self {
        Self {
            owner: tick.event.user.id.0,
            fingerprint: Some(tick.fingerprint.clone()),
            created_at: tick.created_at,
        }
    }

    /// When this tick was made, if the request is the one that made it.
    fn compare(&self, user: Uuid, tick: &NewTick) -> Result<DateTime<Utc>, Error> {
        if self.owner != user {
            return Err(Error::TickExists);
        }
        match &self.fingerprint {
            None => Err(Error::TickGone),
            Some(fingerprint) if *fingerprint == tick.fingerprint => Ok(self.created_at),
            Some(_) => Err(Error::TickExists),
        }
    }
}

async fn existing(
    session: &mut Session,
    changes: &[NewTick],
) -> Result<HashMap<Uuid, Existing>, DatabaseError> {
    let list = id_list(changes.iter().map(|tick| tick.id.0));
    let text = EXISTING.text(session.dialect());
    let rows: Vec<ExistingRow> =
        sql!(session, c => sqlx::query_as(text).bind(&list).fetch_all(c).await)?;
    let existing = rows.into_iter().map(|(id, owner, fingerprint, micros)| {
        let created_at = DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let existing = Existing {
            owner,
            fingerprint,
            created_at,
        };
        (id, existing)
    });
    Ok(existing.collect())
}

async fn insert(session: &mut Session, ticks: &[&NewTick]) -> Result<(), DatabaseError> {
    let rows = ticks.iter().map(|tick| tick.row());
    session.write_rows(INSERT, rows.collect()).await
}

impl NewTick {
    fn image(&self) -> envelope::ImageId {
        self.event.image.url.image()
    }

    /// The columns in the order of the insert.
    fn row(&self) -> impl Serialize {
        let event = &self.event;
        (
            self.id.0.simple(),
            event.user.id.0.simple(),
            self.image().0.simple(),
            event.species.as_ref().map(|species| &species.id),
            self.seen_on,
            self.seen_on.unwrap_or_else(|| self.created_at.date_naive()),
            event.count,
            &self.place,
            &self.note,
            &self.fingerprint,
            self.created_at.timestamp_micros(),
        )
    }
}
