//! `dipper doctor`: whether an instance is set up as it has to be, and what to do where it is not. It changes nothing.

mod broker;
mod databases;
mod files;

use std::process::ExitCode;

use chassis::settings::{AuthMode, Settings};
use chrono::{DateTime, TimeDelta, Utc};

use crate::backup::keys_of;
use crate::say;

/// From here on, times of events on two machines are in no order that people would expect.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(1);
/// From here on, links, sessions and codes end noticeably early or late.
const CLOCKS_ARE_WRONG: TimeDelta = TimeDelta::seconds(30);

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What the checks found; each line is told as soon as it is known.
#[derive(Debug, Default)]
struct Report {
    warnings: usize,
    failures: usize,
}

impl Report {
    fn ok(&mut self, what: &str, found: &str) {
        self.tell(Verdict::Ok, what, found);
    }

    fn warn(&mut self, what: &str, found: &str, advice: &str) {
        self.tell(Verdict::Warn, what, &format!("{found}: {advice}"));
    }

    fn fail(&mut self, what: &str, found: &str, advice: &str) {
        self.tell(Verdict::Fail, what, &format!("{found}: {advice}"));
    }

    fn tell(&mut self, verdict: Verdict, what: &str, line: &str) {
        match verdict {
            Verdict::Ok => {}
            Verdict::Warn => self.warnings += 1,
            Verdict::Fail => self.failures += 1,
        }
        let (verdict, line) = (verdict.word(), line.replace('\n', " "));
        say(&format!("{verdict:<4}  {what:<13}  {line}"));
    }

    /// Compares another machine's clock with ours.
    fn clock(&mut self, whose: &str, theirs: DateTime<Utc>) {
        let apart = (Utc::now() - theirs).abs();
        let found = format!("{} ms from {whose}'s", apart.num_milliseconds());
        let advice = "run an NTP client on both machines";
        if apart >= CLOCKS_ARE_WRONG {
            self.fail("clock", &found, advice);
        } else if apart >= CLOCKS_DIFFER {
            self.warn("clock", &found, advice);
        } else {
            self.ok("clock", &found);
        }
    }
}

/// Examines the instance that the settings tell of. Ends with 1 if anything fails.
pub(crate) async fn run(settings: &Settings, unknown: &[String]) -> ExitCode {
    let mut report = Report::default();
    configuration(settings, unknown, &mut report);
    files::examine(settings, keys_of(settings), &mut report).await;
    broker::examine(settings, &mut report).await;
    databases::examine(settings, &mut report).await;
    let (failures, warnings) = (report.failures, report.warnings);
    say(&format!("{failures} failed, {warnings} to look at"));
    if failures > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn configuration(settings: &Settings, unknown: &[String], report: &mut Report) {
    const WHAT: &str = "configuration";
    report.ok(WHAT, "can be read");
    for name in unknown {
        let found = format!("{name} is no setting");
        report.warn(WHAT, &found, "`dipper config` shows what there is");
    }
    if settings.auth_mode == AuthMode::Trust {
        report.warn(
            WHAT,
            "any token is believed",
            "leave auth_mode at its default, sessions",
        );
    }
    let has_mail = settings.smtp_url.is_some();
    if !has_mail {
        report.warn(
            WHAT,
            "no mail server is set, so `up` catches mails and `serve notifier` does not start",
            "set DIPPER_SMTP_URL",
        );
    }
    if has_mail && settings.mail_from.contains(".invalid") {
        report.fail(
            WHAT,
            "mail servers refuse our sender's address",
            "set DIPPER_MAIL_FROM to an address of your own domain",
        );
    }
    if has_mail && settings.public_url.is_none() {
        report.warn(
            WHAT,
            "links in mails lead to the address that we listen on",
            "set DIPPER_PUBLIC_URL to the address that people use",
        );
    }
}
