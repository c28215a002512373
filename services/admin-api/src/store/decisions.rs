//! Decisions about failed events.

use chassis::database::{DatabaseError, Session, Sql};
use chassis::sql;
use uuid::Uuid;

const ADD: &str = "INSERT INTO decision (id, action, reason, made_at) VALUES ($1, $2, $3, $4)";
const ADD_EVENTS: Sql = Sql {
    sqlite: "INSERT INTO decision_event (decision, position, service, place, event, state, detail)
             SELECT unhex(value->>0), value->>1, value->>2, value->>3, value->>4, 'pending', '' FROM json_each($1)",
    postgres: "INSERT INTO decision_event (decision, position, service, place, event, state, detail)
               SELECT (value->>0)::uuid, (value->>1)::bigint, value->>2, value->>3, value->>4, 'pending', ''
               FROM jsonb_array_elements($1::jsonb) AS v(value)",
};
const FIND: &str = "SELECT id, action, reason, made_at FROM decision WHERE id = $1";
const EVENTS: &str =
    "SELECT decision, position, service, place, event, state, detail FROM decision_event
    WHERE decision = $1 ORDER BY position";
const PENDING: &str = "SELECT e.decision, e.position, d.action, e.service, e.place
    FROM decision_event AS e JOIN decision AS d ON d.id = e.decision
    WHERE e.state = 'pending' ORDER BY d.made_at, e.decision, e.position LIMIT $1";
const SETTLE: &str =
    "UPDATE decision_event SET state = $3, detail = $4 WHERE decision = $1 AND position = $2";

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Decision {
    /// Its id.
    pub(crate) id: Uuid,
    /// What is done.
    pub(crate) action: String,
    /// Why.
    pub(crate) reason: String,
    /// When it was made, in microseconds since 1970.
    pub(crate) made_at: i64,
}

/// An event that is decided about.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Decided {
    /// The decision.
    pub(crate) decision: Uuid,
    /// Its place in the list.
    pub(crate) position: i64,
    /// Whose failure it is.
    pub(crate) service: String,
    /// Where the event lies.
    pub(crate) place: String,
    /// What kind of event it is.
    pub(crate) event: String,
    /// What came of it.
    pub(crate) state: String,
    /// In words.
    pub(crate) detail: String,
}

/// Something that is still to be done.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Pending {
    /// The decision.
    pub(crate) decision: Uuid,
    /// Its place in the list.
    pub(crate) position: i64,
    /// What is done.
    pub(crate) action: String,
    /// Whom to ask.
    pub(crate) service: String,
    /// Where the event lies.
    pub(crate) place: String,
}

/// Keeps a decision and its list: services, places, kinds of events.
pub(crate) async fn add(
    session: &mut Session,
    decision: &Decision,
    events: &[(String, String, String)],
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(ADD).bind(decision.id).bind(&decision.action)
        .bind(&decision.reason).bind(decision.made_at).execute(c).await.map(drop))?;
    let rows = events
        .iter()
        .enumerate()
        .map(|(position, (service, place, event))| {
            (decision.id.simple(), position, service, place, event)
        });
    session.write_rows(ADD_EVENTS, rows.collect()).await
}

/// A decision and its list, if there is such a one.
pub(crate) async fn find(
    session: &mut Session,
    id: Uuid,
) -> Result<Option<(Decision, Vec<Decided>)>, DatabaseError> {
    let decision: Option<Decision> =
        sql!(session, c => sqlx::query_as(FIND).bind(id).fetch_optional(c).await)?;
    let Some(decision) = decision else {
        return Ok(None);
    };
    let events = sql!(session, c => sqlx::query_as(EVENTS).bind(id).fetch_all(c).await)?;
    Ok(Some((decision, events)))
}

/// What is still to be done, the oldest decisions first.
pub(crate) async fn pending(
    session: &mut Session,
    limit: i64,
) -> Result<Vec<Pending>, DatabaseError> {
    Ok(sql!(session, c => sqlx::query_as(PENDING).bind(limit).fetch_all(c).await)?)
}

/// Notes what came of an event.
pub(crate) async fn settle(
    session: &mut Session,
    pending: &Pending,
    state: &str,
    detail: &str,
) -> Result<(), DatabaseError> {
    sql!(session, c => sqlx::query(SETTLE).bind(pending.decision).bind(pending.position)
        .bind(state).bind(detail).execute(c).await.map(drop))?;
    Ok(())
}
