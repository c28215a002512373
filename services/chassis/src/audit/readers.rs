//! Who reads which events, by the catalogue, and how far they are, by the broker.

use std::collections::BTreeSet;

use async_nats::jetstream::consumer::pull;
use envelope::{CATALOGUE, Contract, Stream};

use crate::bus::Bus;
use crate::unit_of_work::source;

/// Who reads events of a producer in a stream. The index over all events is one of them: its inbox
/// has every event like others'. That it knows every *place* of an event follows from the stream:
/// what is there is read, and what is lost there is published again, to a new place.
pub(super) fn readers_of(producer: &str, stream: &Stream) -> BTreeSet<&'static str> {
    published_by(producer)
        .filter(|contract| contract.stream.name == stream.name)
        .flat_map(|contract| contract.consumers)
        .map(|consumer| consumer.service)
        .collect()
}

/// Whether a service reads this kind of event: `rate.update.v2`.
pub(super) fn reads(service: &str, kind: &str) -> bool {
    CATALOGUE.iter().any(|contract| {
        contract.is_read_by(service) && contract.filter().strip_suffix(".*") == Some(kind)
    })
}

/// The stream in which a service would find the answers of another.
pub(super) fn answers_from(service: &str, reader: &str) -> Option<&'static Stream> {
    let answering = source(service);
    CATALOGUE
        .iter()
        .find(|contract| contract.producer.service == answering && contract.is_read_by(reader))
        .map(|contract| contract.stream)
}

/// Which streams of a producer are read by services that publish to a stream of answers, and by whom.
pub(crate) fn answered_in(producer: &str, answers: &str) -> Vec<(&'static str, &'static str)> {
    let answers_there = |reader: &str| {
        let answering = source(reader);
        CATALOGUE
            .iter()
            .any(|one| one.stream.name == answers && one.producer.service == answering)
    };
    let mut found = BTreeSet::new();
    for contract in published_by(producer) {
        let readers = contract.consumers.iter().map(|consumer| consumer.service);
        let readers = readers.filter(|reader| answers_there(reader));
        found.extend(readers.map(|reader| (contract.stream.name, reader)));
    }
    found.into_iter().collect()
}

/// Up to which sequence a consumer has acknowledged a stream. Its floor does not move over what it
/// does not read, or what is lost: when nothing is left, it is past what was the end before.
pub(super) async fn passed(bus: &Bus, consumer: &str, stream: &str, end: u64) -> i64 {
    let jetstream = bus.jetstream();
    let found = jetstream.get_consumer_from_stream::<pull::Config, _, _>(consumer, stream);
    // Nobody has ever read here, or it cannot be told now: what was sent waits.
    let Ok(found) = found.await else {
        return 0;
    };
    let info = found.cached_info();
    let nothing_left = info.num_pending == 0 && info.num_ack_pending == 0;
    let floor = info.ack_floor.stream_sequence;
    if nothing_left { end } else { floor }.cast_signed()
}

fn published_by(producer: &str) -> impl Iterator<Item = &'static Contract> {
    CATALOGUE
        .iter()
        .copied()
        .filter(move |contract| contract.is_published_by(producer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_what_follows_from_the_catalogue() {
        let ticks = envelope::stream("TICK").unwrap();
        let readers = readers_of("services/TickAPI", ticks);
        assert!(readers.contains("score-model") && readers.contains("user-api"));
        assert!(reads("score-model", "tick.new.v1"));
        assert!(!reads("score-model", "tick.delete.v1"));
        assert!(!reads("score-model", "tick.new"));
    }

    #[test]
    fn the_answers_to_ticks_are_the_scores() {
        let answers = answers_from("score-model", "tick-api");
        assert_eq!(answers.map(|stream| stream.name), Some("SCORE"));
        assert!(answers_from("score-model", "auth-api").is_none());
        let asked = answered_in("services/TickAPI", "SCORE");
        assert_eq!(asked, [("TICK", "score-model")]);
        assert!(answered_in("services/AuthAPI", "SCORE").is_empty());
    }
}
