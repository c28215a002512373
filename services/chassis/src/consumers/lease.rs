//! The lease: one process at a time works on a service's projections, and what it commits names
//! its epoch, so that whoever lost the lease without noticing commits nothing.

use std::time::Duration;

use tokio::sync::watch;

use crate::clock::micros;
use crate::database::{Database, DatabaseError, Session, Sql};
use crate::fault;
use crate::lifecycle::Lifecycle;
use crate::sql;

/// For so long a lease holds without being renewed: how long a crash delays the next worker.
const HOLDS: Duration = Duration::from_secs(5);
const RENEW_EVERY: Duration = Duration::from_millis(1500);
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Both databases tell the time themselves where several machines may write.
const ACQUIRE: Sql = Sql {
    sqlite: "INSERT INTO lease (consumer, holder, epoch, leased_until) VALUES ($1, $2, 1, $3 + $4)
             ON CONFLICT (consumer) DO UPDATE SET holder = excluded.holder, epoch = lease.epoch + 1,
                 leased_until = excluded.leased_until
             WHERE lease.leased_until <= $3 RETURNING epoch",
    postgres: "INSERT INTO lease (consumer, holder, epoch, leased_until)
               VALUES ($1, $2, 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $4 + 0 * $3::bigint)
               ON CONFLICT (consumer) DO UPDATE SET holder = excluded.holder, epoch = lease.epoch + 1,
                   leased_until = excluded.leased_until
               WHERE lease.leased_until <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint RETURNING epoch",
};
const RENEW: Sql = Sql {
    sqlite: "UPDATE lease SET leased_until = $3 + $4 WHERE consumer = $1 AND epoch = $2",
    postgres: "UPDATE lease SET leased_until = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $4 + 0 * $3::bigint
               WHERE consumer = $1 AND epoch = $2",
};
const RELEASE: &str = "UPDATE lease SET leased_until = 0 WHERE consumer = $1 AND epoch = $2";
/// In PostgreSQL the lock makes whoever takes the lease over wait for this transaction.
const HOLD: Sql = Sql {
    sqlite: "SELECT epoch FROM lease WHERE consumer = $1 AND epoch = $2",
    postgres: "SELECT epoch FROM lease WHERE consumer = $1 AND epoch = $2 FOR SHARE",
};

/// Whether this process may work, and in which epoch.
pub(crate) type Epoch = watch::Receiver<Option<i64>>;

/// Keeps asking for a service's lease, and holds it until the stop.
pub(crate) fn keep(database: Database, lifecycle: &Lifecycle) -> Epoch {
    let (tell, epoch) = watch::channel(None);
    let name = format!("{} lease", database.service());
    lifecycle.spawn(name, hold(database, tell, lifecycle.clone()));
    epoch
}

async fn hold(
    database: Database,
    tell: watch::Sender<Option<i64>>,
    lifecycle: Lifecycle,
) -> anyhow::Result<()> {
    let service = database.service();
    let holder = database.clock.random_id().to_string();
    while !lifecycle.is_stopping() {
        let held = *tell.borrow();
        let asked = match held {
            None => acquire(&database, &holder).await,
            Some(epoch) => renew(&database, epoch)
                .await
                .map(|kept| kept.then_some(epoch)),
        };
        let now = match asked {
            Ok(now) => now,
            // Until it is known whether the lease still holds, commits decide it.
            Err(error) => {
                tracing::warn!(service, %error, "the lease on the projections cannot be asked for");
                held
            }
        };
        if now != held {
            tell.send_replace(now);
            tracing::debug!(service, epoch = now, "the lease on the projections changed");
        }
        let pause = if now.is_some() {
            RENEW_EVERY
        } else {
            ASK_AGAIN
        };
        lifecycle.pause(pause).await;
    }
    let held = tell.send_replace(None);
    // Readers that are still committing hold the row: the release waits for them.
    if let Some(epoch) = held {
        release(&database, epoch).await?;
    }
    Ok(())
}

async fn acquire(database: &Database, holder: &str) -> Result<Option<i64>, DatabaseError> {
    let mut work = database.begin().await?;
    let (now, holds) = (work.clock().micros(), micros(HOLDS));
    let text = ACQUIRE.text(work.dialect());
    let epoch = sql!(work, c => sqlx::query_scalar(text).bind(database.service()).bind(holder)
        .bind(now).bind(holds).fetch_optional(c).await)?;
    work.commit().await?;
    Ok(epoch)
}

async fn renew(database: &Database, epoch: i64) -> Result<bool, DatabaseError> {
    let mut work = database.begin_note().await?;
    let (now, holds) = (work.clock().micros(), micros(HOLDS));
    let text = RENEW.text(work.dialect());
    let renewed = sql!(work, c => sqlx::query(text).bind(database.service()).bind(epoch)
        .bind(now).bind(holds).execute(c).await.map(|done| done.rows_affected()))?;
    work.commit().await?;
    Ok(renewed == 1)
}

async fn release(database: &Database, epoch: i64) -> Result<(), DatabaseError> {
    let mut work = database.begin().await?;
    sql!(work, c => sqlx::query(RELEASE).bind(database.service()).bind(epoch).execute(c).await.map(drop))?;
    work.commit().await
}

/// Whether a transaction is made by the worker of this epoch, which then stays the only one until
/// the transaction ends.
pub(crate) async fn is_held(
    session: &mut Session,
    consumer: &str,
    epoch: i64,
) -> Result<bool, DatabaseError> {
    let text = HOLD.text(session.dialect());
    let found: Option<i64> = sql!(session, c => sqlx::query_scalar(text).bind(consumer).bind(epoch)
        .fetch_optional(c).await)?;
    Ok(found.is_some() || fault::is("lease-unchecked"))
}
