//! `dipper erase`: what is left of somebody, byte by byte, and whether a receipt is genuine.

mod receipt;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::ensure;
use chassis::settings::Settings;
use scanner::{Finding, Report, Scanner};

use crate::arguments::{Erase, Scan};
use crate::{complain, say};

const FOUND: u8 = 1;
const NOT_READ: u8 = 2;
/// How often a long search says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Runs one of the commands. What cannot be searched is not taken for a finding.
pub(crate) fn run(settings: &Settings, command: &Erase) -> ExitCode {
    let outcome = match command {
        Erase::Scan(command) => scan(settings, command),
        Erase::VerifyReceipt(command) => receipt::verify(settings, command),
        Erase::ReceiptKey(_) => receipt::tell_key(settings),
    };
    outcome.unwrap_or_else(|error| {
        complain(&format!("{error:#}"));
        ExitCode::from(NOT_READ)
    })
}

fn scan(settings: &Settings, command: &Scan) -> anyhow::Result<ExitCode> {
    let scanner = Scanner::new(&command.needles)?;
    let mut report = Report::default();
    let mut told = Instant::now();
    let mut tell = |report: &Report| {
        if told.elapsed() > TELL_EVERY {
            complain(&format!("searched {} so far", amount(report)));
            told = Instant::now();
        }
    };
    for place in std::iter::once(&settings.data_dir).chain(&command.also) {
        // Nothing would be found in a folder that was misspelt.
        ensure!(
            place.exists(),
            "{} is not there; name the folder with --data-dir",
            place.display()
        );
        scanner.scan(place, &mut report, &mut tell);
    }
    report.findings.sort();
    for finding in &report.findings {
        say(&line(finding));
    }
    for (place, why) in &report.unread {
        complain(&format!("{} could not be read: {why}", place.display()));
    }
    let found = report.findings.len();
    complain(&format!("searched {}: {found} findings", amount(&report)));
    Ok(match (report.unread.is_empty(), found) {
        (_, 1..) => ExitCode::from(FOUND),
        (false, 0) => ExitCode::from(NOT_READ),
        (true, 0) => ExitCode::SUCCESS,
    })
}

fn amount(report: &Report) -> String {
    const MIB: u64 = 1024 * 1024;
    format!("{} files, {} MiB", report.files, report.bytes.div_ceil(MIB))
}

/// The needle's number, not the needle: the line may be kept.
fn line(finding: &Finding) -> String {
    let mut place = finding.file.display().to_string();
    for part in &finding.within {
        place = format!("{place} > {part}");
    }
    let at = finding.offset.map_or("in its name".to_owned(), |offset| {
        format!("at byte {offset}")
    });
    format!(
        "{place} {at}: needle {} as {}",
        finding.needle,
        finding.form.as_str()
    )
}
