//! `dipper erase verify-receipt` and `receipt-key`: whether an erasure's receipt is genuine.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use chassis::settings::Settings;
use chrono::SecondsFormat;
use clients::receipt::{self, Receipt, ScanReceipt, VerifyingKey};
use serde_json::Value;

use crate::arguments::VerifyReceipt;
use crate::{complain, say};

/// Says what a receipt says, if it is genuine.
pub(super) fn verify(settings: &Settings, command: &VerifyReceipt) -> anyhow::Result<ExitCode> {
    let key = match &command.key {
        Some(digits) => receipt::parse_public_key(digits).context(
            "the key is none: write the 64 digits that `dipper erase receipt-key` prints",
        )?,
        None => own_key(settings)?,
    };
    match receipt::verify(&signed_line(&read(&command.file)?), &key) {
        Ok(receipt) => {
            tell(&receipt);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            complain(&error.to_string());
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Prints the public key.
pub(super) fn tell_key(settings: &Settings) -> anyhow::Result<ExitCode> {
    say(&receipt::digits(&own_key(settings)?));
    Ok(ExitCode::SUCCESS)
}

/// The public key of the deployment in the data folder, which must be there: a new one has another key.
fn own_key(settings: &Settings) -> anyhow::Result<VerifyingKey> {
    let keys = settings.data_dir.join("keys");
    ensure!(
        settings.secret.is_some() || keys.exists(),
        "{} is not there; name the instance's folder with --data-dir, or its public key with --key",
        keys.display()
    );
    Ok(receipt::public_key(&settings.keys()?))
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The signed line, alone or in the answer of a status address.
fn signed_line(text: &str) -> String {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let places = ["/receipt/jws", "/jws"];
    let line = places
        .iter()
        .find_map(|place| answer.pointer(place)?.as_str());
    line.unwrap_or(text.trim()).to_owned()
}

fn tell(receipt: &Receipt) {
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    say("genuine");
    say(&format!(
        "request        {} (SHA-256 of its id)",
        receipt.request_sha256
    ));
    say(&format!("asked for      {}", time(receipt.requested_at)));
    say(&format!("done           {}", time(receipt.finished_at)));
    say(&format!(
        "events         {} overwritten",
        receipt.events_deleted
    ));
    if let Some(day) = receipt.backups_end_at {
        say(&format!("last backup    gone by {}", time(day)));
    }
    for service in &receipt.services {
        say(&format!(
            "{:<14} {} rows and files deleted",
            service.name, service.rows
        ));
    }
    if let Some(scan) = &receipt.scan {
        tell_scan(scan);
    }
}

fn tell_scan(scan: &ScanReceipt) {
    let list = |stores: &[String]| match stores {
        [] => "none".to_owned(),
        stores => stores.join(", "),
    };
    say(&format!(
        "searched       {} files, {} bytes: nothing found in {}",
        scan.files,
        scan.bytes,
        list(&scan.stores)
    ));
    let before = scan.found_before.as_deref().map_or_else(
        || "nobody looked: an event asked for the erasure".to_owned(),
        list,
    );
    say(&format!("found before   {before}"));
    if !scan.missed_before.is_empty() {
        let missed = list(&scan.missed_before);
        say(&format!(
            "missed before  {missed}: there the search proves nothing"
        ));
    }
    if scan.unread_files > 0 {
        say(&format!("not read       {} files", scan.unread_files));
    }
    if scan.broker_lists_follow {
        say("still to come  the broker's lists of subjects, within three minutes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_line_is_found_alone_and_in_an_answer() {
        for text in [
            "a.b.c\n",
            r#"{"jws": "a.b.c"}"#,
            r#"{"receipt": {"jws": "a.b.c"}}"#,
        ] {
            assert_eq!(signed_line(text), "a.b.c");
        }
    }
}
