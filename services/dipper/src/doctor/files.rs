//! The data folder: who may read it, whether keys and ledger open, and how much room is left.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chassis::keys::Keys;
use chassis::restored::{self, Gate};
use chassis::settings::Settings;
use tokio::process::Command;

use super::Report;

/// What only the owner may enter or read, below the data folder.
const PRIVATE: [&str; 6] = [
    "keys",
    "keys/master.key",
    "keys/ring.json",
    "ledger",
    "db",
    "nats/credentials.json",
];
/// With less a database or a broker soon refuses to write.
const LEAST_KIB: u64 = 512 * 1024;
/// From here on in percent somebody has to look.
const FULL: u64 = 90;

pub(super) async fn examine(settings: &Settings, keys: anyhow::Result<Keys>, report: &mut Report) {
    let data = &settings.data_dir;
    let place = data.display();
    if !data.is_dir() {
        report.warn(
            "data folder",
            &format!("{place} is not there"),
            "the first start makes it, or name another with --data-dir",
        );
        return;
    }
    modes(data, report);
    secret_and_ledger(settings, keys, report);
    match Gate::look(data) {
        Ok(gate) if gate.is_closed() => report.warn(
            "restore",
            restored::REASON,
            "wait; GET /readyz tells when it is over",
        ),
        Ok(_) => {}
        Err(error) => report.fail("restore", "unfinished", &format!("{error:#}")),
    }
    space(data, report).await;
    if let Some(ledger) = settings.ledger.as_deref().filter(|ledger| ledger.is_dir()) {
        space(ledger, report).await;
    }
}

fn modes(data: &Path, report: &mut Report) {
    let mut are_private = true;
    for name in PRIVATE {
        let path = data.join(name);
        let Ok(metadata) = path.metadata() else {
            continue;
        };
        if metadata.permissions().mode() & 0o077 != 0 {
            are_private = false;
            let place = path.display();
            report.fail(
                "data folder",
                &format!("others on this machine may read {place}"),
                &format!("chmod go-rwx {place}"),
            );
        }
    }
    if are_private {
        let found = format!("{} is its owner's alone", data.display());
        report.ok("data folder", &found);
    }
}

fn secret_and_ledger(settings: &Settings, keys: anyhow::Result<Keys>, report: &mut Report) {
    let has_data = settings.data_dir.join("db").exists();
    let keys = match keys {
        Ok(keys) => keys,
        Err(error) if has_data => {
            return report.fail(
                "keys",
                "what is sealed cannot be opened",
                &format!("{error:#}"),
            );
        }
        Err(_) => {
            return report.warn(
                "keys",
                "none yet",
                "the first start makes them; keep a copy",
            );
        }
    };
    report.ok("keys", &format!("key {} seals", keys.newest()));
    let ledger = settings.ledger(&keys);
    let file = ledger.file();
    if !file.exists() {
        return report.warn(
            "ledger",
            &format!("{} is not there", file.display()),
            "UserAPI's first start makes it; bring it back if this instance has run before",
        );
    }
    match ledger.read() {
        Ok(chain) => {
            let entries = chain.tombstones().count();
            report.ok("ledger", &format!("{entries} tombstones, all links hold"));
        }
        Err(error) => report.fail("ledger", &error.to_string(), "bring back its newest copy"),
    }
}

async fn space(folder: &Path, report: &mut Report) {
    let place = folder.display();
    let asked = Command::new("df").arg("-Pk").arg(folder).output().await;
    let told = asked.ok().filter(|output| output.status.success());
    let Some((free, used)) = told.and_then(|output| read_df(&output.stdout)) else {
        let found = format!("how full the disk of {place} is cannot be seen");
        return report.warn("disk", &found, "look with df");
    };
    let found = format!("{} MiB free for {place}, {used} % used", free / 1024);
    let advice = "see \"The disk fills up\" in docs/runbooks.md";
    if free < LEAST_KIB {
        report.fail("disk", &found, advice);
    } else if used >= FULL {
        report.warn("disk", &found, advice);
    } else {
        report.ok("disk", &found);
    }
}

/// The free KiB and the percentage in use, from what POSIX has `df -Pk` print.
fn read_df(output: &[u8]) -> Option<(u64, u64)> {
    let text = String::from_utf8_lossy(output);
    let mut columns = text.lines().nth(1)?.split_whitespace().skip(3);
    let free = columns.next()?.parse().ok()?;
    let used = columns.next()?.trim_end_matches('%').parse().ok()?;
    Some((free, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_read_from_the_fourth_column() {
        let output = b"Filesystem 1024-blocks Used Available Capacity Mounted on\n\
            /dev/vda 263174212 31457280 65011712 33% /\n";
        assert_eq!(read_df(output), Some((65_011_712, 33)));
        assert_eq!(read_df(b"df: no such file\n"), None);
    }
}
