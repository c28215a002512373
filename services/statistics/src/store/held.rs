//! Cells that somebody left. What a cell shows before and after tells how much of it was theirs, so it goes on to show
//! what it did, until enough people are new in it: then the difference is about them as well. With too few people left
//! it shows nothing, as any cell.
//!
//! Each audience has its own number of people. Who is staff sees what the public sees as well, so the two together must
//! tell no more than one: the public is never shown a number that staff are not, or were not before.

use std::collections::HashMap;

use chassis::database::{DatabaseError, Session};
use chassis::sql;
use envelope::UserId;

use super::cells::{self, Cell};
use crate::audience::Audience;

const HOLD: &str = "INSERT INTO held (figure, cell, k, shown, since) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (figure, cell, k) DO UPDATE SET shown = excluded.shown, since = excluded.since";
const HELD: &str = "SELECT cell, k, shown, since FROM held WHERE figure = $1";

/// Holds all cells that somebody is in who is about to leave them.
pub(crate) async fn hold(
    session: &mut Session,
    user: UserId,
    now: i64,
) -> Result<(), DatabaseError> {
    // The public first: what it is shown depends on what staff are, as long as nothing new is held.
    for audience in [Audience::Public, Audience::Staff] {
        let left = cells::left_by(session, user, audience.k()).await?;
        let showing = showing(session, &left, audience).await?;
        for ((cell, _), showing) in left.iter().zip(showing) {
            // What is held already stays as it is.
            if let Showing::Counted(number) = showing {
                write(session, cell, audience, (number, now)).await?;
            }
        }
    }
    Ok(())
}

/// What cells show of which this was counted; nothing where that would tell too much.
pub(crate) async fn shown(
    session: &mut Session,
    counted: &[(Cell, i64)],
    audience: Audience,
) -> Result<Vec<Option<i64>>, DatabaseError> {
    let showing = showing(session, counted, audience).await?;
    Ok(showing.into_iter().map(Showing::number).collect())
}

/// What a cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Showing {
    /// What is counted.
    Counted(i64),
    /// What it showed when somebody left it.
    Held(i64),
    /// What staff are shown was counted with too few people for the public.
    Nothing,
}

impl Showing {
    fn number(self) -> Option<i64> {
        match self {
            Self::Counted(number) | Self::Held(number) => Some(number),
            Self::Nothing => None,
        }
    }
}

/// What is held of a cell: what it shows, and since when.
type Held = (i64, i64);

async fn showing(
    session: &mut Session,
    counted: &[(Cell, i64)],
    audience: Audience,
) -> Result<Vec<Showing>, DatabaseError> {
    let mut held: HashMap<&str, HashMap<(String, i64), Held>> = HashMap::new();
    let mut all = Vec::with_capacity(counted.len());
    for (cell, count) in counted {
        let (figure, name) = cell.name();
        if !held.contains_key(figure) {
            held.insert(figure, read(session, figure).await?);
        }
        let of = |audience: Audience| {
            let key = (name.clone(), audience.k());
            held.get(figure)?.get(&key).copied()
        };
        let (own, staffs) = (of(audience), of(Audience::Staff));
        let is_counted = is_over(session, cell, own, audience).await?
            && is_over(session, cell, staffs, Audience::Staff).await?;
        all.push(match own {
            _ if is_counted => Showing::Counted(*count),
            Some((shown, _)) => Showing::Held(shown),
            None => Showing::Nothing,
        });
    }
    Ok(all)
}

/// Whether nothing is held for an audience any more: nobody left, or enough people are new.
async fn is_over(
    session: &mut Session,
    cell: &Cell,
    held: Option<Held>,
    audience: Audience,
) -> Result<bool, DatabaseError> {
    Ok(match held {
        None => true,
        Some((_, since)) => cell.is_renewed(session, since, audience.k()).await?,
    })
}

async fn read(
    session: &mut Session,
    figure: &str,
) -> Result<HashMap<(String, i64), Held>, DatabaseError> {
    let rows: Vec<(String, i64, i64, i64)> =
        sql!(session, c => sqlx::query_as(HELD).bind(figure).fetch_all(c).await)?;
    let by_cell = rows
        .into_iter()
        .map(|(cell, k, shown, since)| ((cell, k), (shown, since)));
    Ok(by_cell.collect())
}

async fn write(
    session: &mut Session,
    cell: &Cell,
    audience: Audience,
    (shown, since): Held,
) -> Result<(), DatabaseError> {
    let (figure, name) = cell.name();
    sql!(session, c => sqlx::query(HOLD)
        .bind(figure).bind(&name).bind(audience.k()).bind(shown).bind(since)
        .execute(c).await.map(drop))?;
    Ok(())
}
