//! Many requests' changes in one transaction.

use std::sync::Arc;

use chassis::database::DatabaseError;
use chassis::group_commit::{Change, GroupCommit};
use chassis::sql;
use chassis::unit_of_work::{Work, WorkError};
use futures::future::join_all;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::world::World;

on_both_databases!(
    changes_that_come_together_share_one_transaction,
    each_change_gets_its_own_answer,
    an_impossible_change_fails_alone,
);

const GROUPS: &str = "SELECT count(*) FROM group_commit";
const SIGHTINGS: &str = "SELECT count(*) FROM sighting";

/// A request to keep a sighting.
struct Sighting {
    number: usize,
    species: &'static str,
    /// The writer says that it is at this change and waits to be let on.
    gate: Option<Arc<Gate>>,
}

#[derive(Default)]
struct Gate {
    reached: Notify,
    opened: Notify,
}

/// A sighting's number and its place in the group.
type Kept = (usize, usize);

impl Change for Sighting {
    type Answer = Kept;

    async fn apply(work: &mut Work, changes: &[Self]) -> Result<Vec<Kept>, WorkError> {
        const KEEP: &str = "INSERT INTO sighting (id, species) VALUES ($1, $2)";
        const NOTE: &str = "INSERT INTO group_commit (changes) VALUES ($1)";
        let mut kept = Vec::new();
        for (place, change) in changes.iter().enumerate() {
            if let Some(gate) = &change.gate {
                gate.reached.notify_one();
                gate.opened.notified().await;
            }
            let id = Uuid::new_v4();
            sql!(work, c => sqlx::query(KEEP).bind(id).bind(change.species).execute(c).await.map(drop))
                .map_err(DatabaseError::from)?;
            kept.push((change.number, place));
        }
        let size = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        sql!(work, c => sqlx::query(NOTE).bind(size).execute(c).await.map(drop))
            .map_err(DatabaseError::from)?;
        Ok(kept)
    }
}

fn nuthatch(number: usize) -> Sighting {
    Sighting {
        number,
        species: "Sitta europaea",
        gate: None,
    }
}

/// Keeps the writer busy with one sighting while the others queue up behind it. All answers, in
/// the order of the sightings; `None` for those that could not be stored.
async fn submit_together(world: &World, sightings: Vec<Sighting>) -> Vec<Option<Kept>> {
    let writer = GroupCommit::start(world.database.clone(), &world.broker.lifecycle);
    let gate = Arc::new(Gate::default());
    let first = Sighting {
        gate: Some(Arc::clone(&gate)),
        ..nuthatch(0)
    };
    let leader = {
        let writer = writer.clone();
        tokio::spawn(async move { writer.submit(first).await })
    };
    gate.reached.notified().await;
    let others = join_all(sightings.into_iter().map(|one| writer.submit(one)));
    // The others are polled first, so they stand in the queue when the gate opens.
    let (answers, ()) = tokio::join!(biased; others, async { gate.opened.notify_one() });
    assert_eq!(leader.await.unwrap().unwrap().unwrap(), (0, 0));
    answers
        .into_iter()
        .map(|answer| answer.unwrap().ok())
        .collect()
}

async fn changes_that_come_together_share_one_transaction(world: &World) {
    submit_together(world, (1..=50).map(nuthatch).collect()).await;
    assert_eq!(world.count(SIGHTINGS).await, 51);
    assert_eq!(world.count(GROUPS).await, 2);
}

async fn each_change_gets_its_own_answer(world: &World) {
    let answers = submit_together(world, (1..=50).map(nuthatch).collect()).await;
    let wanted: Vec<Option<Kept>> = (1..=50).map(|number| Some((number, number - 1))).collect();
    assert_eq!(answers, wanted);
}

async fn an_impossible_change_fails_alone(world: &World) {
    let sightings = (1..=20).map(|number| Sighting {
        species: if number == 7 { "" } else { "Sitta europaea" },
        ..nuthatch(number)
    });
    let answers = submit_together(world, sightings.collect()).await;
    let failed: Vec<usize> = (1..=20)
        .filter(|number| answers[number - 1].is_none())
        .collect();
    assert_eq!(failed, [7]);
    assert_eq!(world.count(SIGHTINGS).await, 20);
}
