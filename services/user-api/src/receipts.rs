//! Receipts of erasures, as their requesters and admins are given them.

use chassis::database::DatabaseError;
use chrono::{DateTime, Utc};
use clients::receipt::{Receipt, ScanReceipt, ServiceReceipt, SignedReceipt, sign};
use clients::user::ErasureDone;
use envelope::EventId;
use uuid::Uuid;

use crate::App;
use crate::error::Error;
use crate::scan::before::Control;
use crate::scan::stores::Sight;
use crate::store::erasures::{self, Erasure, ServiceRow};
use crate::store::finished;

/// The longest list.
const MOST: i64 = 200;

/// The signed receipt of an erasure, once it is done.
pub(crate) fn of(
    app: &App,
    request_sha256: &str,
    erasure: &Erasure,
    rows: &[ServiceRow],
) -> Result<Option<SignedReceipt>, Error> {
    let Some(receipt) = receipt(request_sha256, erasure, rows)? else {
        return Ok(None);
    };
    let jws = sign(&receipt, &app.keys).map_err(Error::Unsigned)?;
    Ok(Some(SignedReceipt { receipt, jws }))
}

/// The erasures that are done and have a receipt, the newest first.
pub(crate) async fn list(app: &App) -> Result<Vec<ErasureDone>, Error> {
    let mut session = app.database.read().await?;
    let done = finished::erasures(&mut session, MOST).await?;
    let views = done.into_iter().map(|one| {
        Ok(ErasureDone {
            request: EventId(one.event_id),
            requested_at: time(one.requested_at)?,
            due_at: time(one.due_at)?,
            finished_at: time(one.finished_at)?,
            backups_end_at: one.backups_end_at.map(time).transpose()?,
        })
    });
    views.collect()
}

/// The receipt of the erasure with this number.
pub(crate) async fn show(app: &App, event: Uuid) -> Result<SignedReceipt, Error> {
    let mut session = app.database.read().await?;
    let hash = finished::request_hash(&mut session, event).await?;
    let hash = hash.ok_or(Error::UnknownRequest)?;
    let erasure = erasures::by_request(&mut session, &hash).await?;
    let erasure = erasure.ok_or(Error::UnknownRequest)?;
    let services = erasures::services(&mut session, event).await?;
    of(app, &hash, &erasure, &services)?.ok_or(Error::UnknownRequest)
}

/// What an erasure did, once it is done.
fn receipt(
    request_sha256: &str,
    erasure: &Erasure,
    rows: &[ServiceRow],
) -> Result<Option<Receipt>, DatabaseError> {
    let Some(finished_at) = erasure.finished_at else {
        return Ok(None);
    };
    let services = rows.iter().map(service_receipt);
    Ok(Some(Receipt {
        request_sha256: request_sha256.to_owned(),
        requested_at: time(erasure.requested_at)?,
        finished_at: time(finished_at)?,
        events_deleted: erasure.events_deleted,
        services: services.collect::<Result<_, _>>()?,
        scan: scan_receipt(erasure)?,
        backups_end_at: erasure.backups_end_at.map(time).transpose()?,
    }))
}

fn service_receipt(row: &ServiceRow) -> Result<ServiceReceipt, DatabaseError> {
    Ok(ServiceReceipt {
        name: row.service.clone(),
        rows: row.deleted,
        mails_under_way: row.mails_under_way()?,
    })
}

/// How the person was looked for, and how before.
fn scan_receipt(erasure: &Erasure) -> Result<Option<ScanReceipt>, DatabaseError> {
    let control = Control::read(erasure.control.as_deref())?;
    let missed_before = control.as_ref().map(|control| control.missed.clone());
    let sight = Sight::read(erasure.scan.as_deref())?;
    Ok(sight.map(|sight| ScanReceipt {
        stores: sight.stores,
        files: sight.files,
        bytes: sight.bytes,
        unread_files: sight.unread,
        found_before: control.map(|control| control.found),
        missed_before: missed_before.unwrap_or_default(),
        broker_lists_follow: sight.in_broker_index > 0,
    }))
}

fn time(micros: i64) -> Result<DateTime<Utc>, DatabaseError> {
    DateTime::from_timestamp_micros(micros).ok_or(DatabaseError::Damaged("a time of an erasure"))
}
