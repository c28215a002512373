//! What the log tells, at its most talkative, of all those who took part.

use chassis::nats_server::Credentials;
use serde_json::Value;
use testkit::Birder;

use super::{ATTACKER, ELSEWHERE, Report, Stage};

pub fn search(stage: &Stage, report: &mut Report) {
    let log = std::fs::read_to_string(&stage.log).unwrap();
    report.expect(
        "25 there is something to search",
        &true,
        &(log.lines().count() > 20),
    );
    let is_json = |line: &str| serde_json::from_str::<Value>(line).is_ok();
    let torn = log.lines().find(|line| !is_json(line)).map(str::to_owned);
    report.expect("25 every line is a record", &None, &torn);
    let names_somebody = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap_or_default();
        let is_refusal = record["message"] == "somebody asks for what is not for their role";
        let name = record["user"].as_str().unwrap_or_default();
        is_refusal && name.len() == 16 && name.bytes().all(|letter| letter.is_ascii_hexdigit())
    };
    report.expect(
        "25 who was refused can be followed by a name of this day",
        &true,
        &log.lines().any(names_somebody),
    );
    for (who, birder) in [
        ("admin", &stage.admin),
        ("moderator", &stage.moderator),
        ("victim", &stage.vera),
        ("attacker", &stage.mallory),
    ] {
        for (what, secret) in secrets(birder) {
            report.expect(
                &format!("25 the {what} of the {who}"),
                &0,
                &log.matches(&secret).count(),
            );
        }
    }
    let master = stage.folder.join("keys").join("master.key");
    let master = std::fs::read_to_string(master).expect("the master key is a file");
    for (what, text) in [
        ("an address of an attacker", ATTACKER.to_owned()),
        ("an address of an owner", ELSEWHERE.to_owned()),
        ("a guess", "guess 1".to_owned()),
        ("a canary", "everybody@example.org".to_owned()),
        ("the master key", master.trim().to_owned()),
    ] {
        report.expect(&format!("25 {what}"), &0, &log.matches(&text).count());
    }
    let logins = stage.folder.join("nats").join("credentials.json");
    for (login, known) in Credentials::read(&logins).unwrap().users {
        let found = log.matches(&known.password).count();
        report.expect(&format!("25 the broker's password of {login}"), &0, &found);
    }
}

fn secrets(birder: &Birder) -> [(&'static str, String); 4] {
    [
        ("address", birder.email.clone()),
        ("password", birder.password.clone()),
        ("token", birder.token.clone()),
        ("id", birder.id.to_string()),
    ]
}
