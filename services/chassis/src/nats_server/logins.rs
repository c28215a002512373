//! The logins of the system and what each may do, derived from the catalogue and from who may ask which question.
//!
//! | login | may |
//! |---|---|
//! | a service | publish its own events and its dead letters, pull and acknowledge by its own consumers, look at what it sent, ask and answer |
//! | `user-api` | also delete: it is the eraser |
//! | `setup` | make and change streams and consumers, and restore them from a backup |
//! | `operator` | read all streams, copy them for a backup, ask what the command line asks |

use std::collections::BTreeSet;

use envelope::catalogue::{DEAD, DEPRECATED, RETURNED, RETURNED_BY};
use envelope::{CATALOGUE, Contract, READERS, STREAMS, Stream, consumed_by};

use super::permissions::Permissions;
use crate::audit::answered_in;
use crate::bus::streams::{streams_of, streams_sent_to};
use crate::rpc::asked::{Asked, common};
use crate::unit_of_work::source;

/// Who overwrites what erasure and retention end, and holds the index of who is named where.
const ERASER: &str = "user-api";
/// Who has no database: its dead letters are read, and settled, in their stream.
const STATELESS: &str = "score-model";
/// Who looks into all streams for the dashboard.
const OVERSEER: &str = "admin-api";
/// Those that make and change streams, and those that only read.
const SETUP: &str = "setup";
const OPERATOR: &str = "operator";

/// All logins: a service each, `setup` and `operator`.
pub fn logins(questions: &[Asked]) -> Vec<Permissions> {
    let questions: Vec<Asked> = questions.iter().cloned().chain(common()).collect();
    let services = READERS.iter().map(|reader| of_service(reader.service));
    let mut all: Vec<Permissions> = services.chain([of_setup(), of_operator()]).collect();
    for one in &mut all {
        let login = one.login.as_str();
        let asked = questions.iter().filter(|asked| asked.by.contains(&login));
        one.publish.allow(asked.map(|asked| asked.subject.clone()));
        one.subscribe.allow([inbox(login)]);
    }
    all
}

/// The same for a server on which only this machine's programs are: those of others may keep the inbox that
/// their library gives them, and so could read each other's answers.
pub fn logins_for_one_machine(questions: &[Asked]) -> Vec<Permissions> {
    let mut all = logins(questions);
    for one in &mut all {
        one.subscribe.allow(["_INBOX.>"]);
    }
    all
}

/// Where a login gets its answers.
pub fn inbox_prefix(login: &str) -> String {
    format!("_INBOX_{}", login.replace('-', "_"))
}

fn inbox(login: &str) -> String {
    format!("{}.>", inbox_prefix(login))
}

fn of_service(service: &'static str) -> Permissions {
    let mut one = Permissions::of(service);
    one.answers = true;
    publishes(&mut one, service);
    consumes(&mut one, service);
    if service != STATELESS {
        looks_after_what_it_sent(&mut one, service);
    }
    one.subscribe.allow([format!("svc.{service}.>")]);
    // The broker's protocol for services: who is there, all of them or one.
    for verb in ["PING", "INFO", "STATS"] {
        one.subscribe.allow([
            format!("$SRV.{verb}"),
            format!("$SRV.{verb}.{service}"),
            format!("$SRV.{verb}.{service}.*"),
        ]);
    }
    // What processes of one service tell each other.
    let own = format!("live.{service}.>");
    one.publish.allow([own.clone()]);
    one.subscribe.allow([own]);
    match service {
        ERASER => erases(&mut one),
        OVERSEER => looks_into_all(&mut one),
        STATELESS => {
            let dead = DEAD.name;
            one.publish
                .allow([api("DIRECT.GET", dead), api("STREAM.MSG.DELETE", dead)]);
        }
        _ => {}
    }
    one
}

/// All of the streams that are its own, and of the others its own events. What the catalogue does not know is dead, with a
/// reason.
fn publishes(one: &mut Permissions, service: &str) {
    let producer = source(service);
    let sent = CATALOGUE.iter().filter(|contract| {
        let is_own = contract.has_one_producer() || answers_in(service, contract);
        contract.is_published_by(&producer) && is_own
    });
    for contract in sent {
        let stream = contract.stream;
        let mut others = CATALOGUE
            .iter()
            .filter(|one| one.stream.name == stream.name);
        one.publish
            .allow([if others.all(|one| one.producer.service == producer) {
                stream.filter()
            } else {
                any_major(contract)
            }]);
    }
    if producer == RETURNED_BY {
        for stream in RETURNED {
            returns(one, stream);
        }
    }
    buries(one, service);
}

/// Events of somebody who comes from another instance, as they were.
fn returns(one: &mut Permissions, stream: &Stream) {
    let contracts = CATALOGUE
        .iter()
        .filter(|contract| contract.stream.name == stream.name);
    one.publish
        .allow(contracts.map(|contract| any_major(contract)));
}

/// What it reads and cannot handle. The index reads also what the catalogue does not know.
fn buries(one: &mut Permissions, service: &str) {
    let read = consumed_by(service).into_iter();
    one.publish.allow(read.map(|contract| match service {
        ERASER => format!("dead.{}.>", contract.entity),
        _ => format!("dead.{}.{}.>", contract.entity, contract.kind),
    }));
}

fn any_major(contract: &Contract) -> String {
    format!("{}.{}.*.*", contract.entity, contract.kind)
}

/// What all services may send is sent by those who read events of the same stream: it answers them.
fn answers_in(service: &str, contract: &Contract) -> bool {
    let mut read = consumed_by(service).into_iter();
    read.any(|one| one.stream.name == contract.stream.name)
}

fn consumes(one: &mut Permissions, service: &str) {
    let streams = consumed_by(service)
        .into_iter()
        .map(|contract| contract.stream.name);
    let is_derived = envelope::reader(service).is_some_and(|reader| reader.is_derived);
    for stream in streams.collect::<BTreeSet<_>>() {
        one.publish
            .allow([api("STREAM.INFO", stream), api("STREAM.MSG.GET", stream)]);
        pulls(one, stream, service);
        one.publish.allow([
            api("CONSUMER.RESET", &format!("{stream}.{service}")),
            format!("$JS.ACK.{stream}.{service}.>"),
        ]);
        if is_derived {
            // Reads beside the live one what is built anew, and acknowledges nothing.
            let beside = format!("{service}-rebuild");
            pulls(one, stream, &beside);
            one.publish
                .allow([api("CONSUMER.DELETE", &format!("{stream}.{beside}"))]);
        }
    }
}

fn pulls(one: &mut Permissions, stream: &str, consumer: &str) {
    let consumer = format!("{stream}.{consumer}");
    let verbs = ["CONSUMER.CREATE", "CONSUMER.INFO", "CONSUMER.MSG.NEXT"];
    one.publish.allow(verbs.map(|verb| api(verb, &consumer)));
}

/// The audit and the relay compare what was sent with what is there, and how far its readers are.
fn looks_after_what_it_sent(one: &mut Permissions, service: &str) {
    let producer = source(service);
    for stream in streams_sent_to(&producer) {
        reads(one, stream.name);
        let readers = READERS.iter().filter(|reader| {
            let mut read = consumed_by(reader.service).into_iter();
            read.any(|contract| contract.stream.name == stream.name)
        });
        let places = readers.map(|reader| format!("{}.{}", stream.name, reader.service));
        one.publish
            .allow(places.map(|place| api("CONSUMER.INFO", &place)));
    }
    // It looks for the answers of who keeps no outbox where it reads them itself.
    for contract in consumed_by(service) {
        let stream = contract.stream.name;
        if !answered_in(&producer, stream).is_empty() {
            reads(one, stream);
        }
    }
    let old = DEPRECATED.iter().filter_map(|old| old.stream());
    let own = streams_of(&producer);
    let old = old.filter(|stream| own.iter().any(|one| one.name == stream.name));
    one.publish
        .allow(old.map(|stream| api("CONSUMER.LIST", stream.name)));
}

fn reads(one: &mut Permissions, stream: &str) {
    let verbs = ["STREAM.INFO", "STREAM.MSG.GET", "DIRECT.GET"];
    one.publish.allow(verbs.map(|verb| api(verb, stream)));
}

/// Overwrites single messages, and has the copies of a server made anew that was away meanwhile.
fn erases(one: &mut Permissions) {
    for stream in STREAMS {
        reads(one, stream.name);
        one.publish.allow([api("STREAM.MSG.DELETE", stream.name)]);
    }
    let personal = STREAMS.iter().filter(|stream| stream.personal);
    for stream in personal {
        let verbs = ["STREAM.UPDATE", "STREAM.LEADER.STEPDOWN"];
        one.publish.allow(verbs.map(|verb| api(verb, stream.name)));
    }
}

fn looks_into_all(one: &mut Permissions) {
    one.publish.allow(["$JS.API.STREAM.NAMES"]);
    for stream in STREAMS {
        reads(one, stream.name);
        one.publish.allow([api("CONSUMER.LIST", stream.name)]);
    }
}

fn of_setup() -> Permissions {
    let mut setup = Permissions::of(SETUP);
    setup.publish.allow([
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
    ]);
    let verbs = [
        "STREAM.CREATE",
        "STREAM.UPDATE",
        "STREAM.DELETE",
        "STREAM.INFO",
        "STREAM.RESTORE",
        "CONSUMER.LIST",
        "CONSUMER.NAMES",
    ];
    setup.publish.allow(verbs.map(|verb| api(verb, "*")));
    let verbs = ["CONSUMER.CREATE", "CONSUMER.INFO", "CONSUMER.DELETE"];
    setup.publish.allow(verbs.map(|verb| api(verb, "*.>")));
    setup.publish.allow([
        api("CONSUMER.CREATE", "*"),
        "$JS.SNAPSHOT.RESTORE.>".to_owned(),
    ]);
    setup
}

/// Reads by consumers of its own, which it may make, and not by those of the services.
fn of_operator() -> Permissions {
    let mut operator = Permissions::of(OPERATOR);
    operator.publish.allow([
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.ACK.>",
        "$JS.SNAPSHOT.ACK.>",
        "$SRV.>",
    ]);
    let verbs = [
        "STREAM.INFO",
        "STREAM.MSG.GET",
        "STREAM.SNAPSHOT",
        "CONSUMER.LIST",
        "CONSUMER.NAMES",
        "CONSUMER.CREATE",
    ];
    operator.publish.allow(verbs.map(|verb| api(verb, "*")));
    let verbs = [
        "DIRECT.GET",
        "CONSUMER.CREATE",
        "CONSUMER.DURABLE.CREATE",
        "CONSUMER.INFO",
        "CONSUMER.MSG.NEXT",
        "CONSUMER.DELETE",
    ];
    operator.publish.allow(verbs.map(|verb| api(verb, ">")));
    for reader in READERS {
        let service = reader.service;
        operator.publish.deny([format!("$JS.ACK.*.{service}.>")]);
        let verbs = [
            "CONSUMER.CREATE",
            "CONSUMER.DURABLE.CREATE",
            "CONSUMER.MSG.NEXT",
            "CONSUMER.DELETE",
        ];
        operator
            .publish
            .deny(verbs.map(|verb| api(verb, &format!("*.{service}"))));
        operator
            .publish
            .deny([api("CONSUMER.CREATE", &format!("*.{service}.>"))]);
    }
    operator
        .subscribe
        .allow(STREAMS.iter().copied().map(Stream::filter));
    operator
}

fn api(verb: &str, what: &str) -> String {
    format!("$JS.API.{verb}.{what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(login: &str) -> Permissions {
        let mut all = logins(&[]).into_iter();
        all.find(|one| one.login == login).unwrap()
    }

    #[test]
    fn a_service_publishes_its_own_events_and_no_others() {
        let published = of("notifier").publish.allow;
        let events: Vec<_> = published
            .iter()
            .filter(|subject| !subject.starts_with('$') && !subject.starts_with("dead."))
            .filter(|subject| !subject.starts_with("svc.") && !subject.starts_with("live."))
            .collect();
        assert_eq!(events, ["gdpr.purged.*.*", "notification.>"]);
    }

    #[test]
    fn an_erasure_is_asked_for_by_tick_api_only() {
        let may = |one: &Permissions| one.publish.allow.contains("gdpr.delete.*.*");
        let who = logins(&[]).into_iter().filter(may).map(|one| one.login);
        assert_eq!(who.collect::<Vec<_>>(), ["tick-api"]);
    }

    #[test]
    fn nobody_purges_and_the_eraser_deletes_and_who_has_no_database_its_dead_letters() {
        let mut deleting = Vec::new();
        for one in logins(&[]) {
            let Permissions { login, publish, .. } = one;
            assert!(
                !publish
                    .allow
                    .iter()
                    .any(|subject| subject.contains("PURGE"))
            );
            let deletes = publish
                .allow
                .iter()
                .filter(|subject| subject.contains("MSG.DELETE"));
            deleting.extend(deletes.map(|subject| format!("{login} {subject}")));
        }
        let others: Vec<_> = deleting
            .iter()
            .filter(|one| !one.starts_with("user-api "))
            .collect();
        assert_eq!(others, ["score-model $JS.API.STREAM.MSG.DELETE.DEAD"]);
        assert_eq!(deleting.len(), STREAMS.len() + 1);
    }

    #[test]
    fn who_returns_events_of_another_instance_publishes_those_too() {
        assert!(of("user-api").publish.allow.contains("rate.update.*.*"));
        assert!(!of("user-api").publish.allow.contains("gdpr.delete.*.*"));
    }

    #[test]
    fn a_stream_of_ones_own_is_shared_with_nobody() {
        assert!(of("tick-api").publish.allow.contains("rate.>"));
        assert!(of("auth-api").publish.allow.contains("user.login.*.*"));
        assert!(!of("auth-api").publish.allow.contains("user.limit.*.*"));
    }

    #[test]
    fn a_common_question_is_asked_by_those_it_names() {
        assert!(of("admin-api").publish.allow.contains("svc.*.replay"));
        assert!(!of("notifier").publish.allow.contains("svc.*.replay"));
    }
}
