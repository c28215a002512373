//! Events that failed, gathered from all services that read events.

use std::str::FromStr;

use chassis::bus::Bus;
use chassis::deliveries::{HowMany, Parked, Place, Status, Which};
use chassis::rpc::{AskError, ask_service};
use envelope::READERS;
use futures::future::join_all;

/// How many a service is asked for at a time.
const PART: i64 = 200;

/// A failed event of a service: `statistics:RATE.1763000000000000.17`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) service: &'static str,
    pub(crate) place: Place,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.service, self.place)
    }
}

impl FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (service, place) = text.split_once(':').ok_or(())?;
        Ok(Self {
            service: envelope::reader(service).ok_or(())?.service,
            place: place.parse().map_err(drop)?,
        })
    }
}

/// Failed events after a place in the order of services and places, at most so many.
pub(crate) async fn list(
    bus: &Bus,
    after: Option<&Id>,
    limit: usize,
) -> Result<Vec<(Id, Parked)>, AskError> {
    let mut found = Vec::new();
    let first = after.map_or(Some(0), |after| position(after.service));
    for reader in READERS.iter().skip(first.unwrap_or(READERS.len())) {
        let mut place = after
            .filter(|after| after.service == reader.service)
            .map(|after| after.place.clone());
        loop {
            let question = Which {
                status: Some(Status::Failed),
                after: place,
                limit: PART,
            };
            let part = ask_service(bus, reader.service, &question).await?;
            place = part.last().map(|last| last.place.clone());
            let is_last = part.len() < usize::try_from(PART).unwrap_or_default();
            found.extend(part.into_iter().map(|parked| {
                let id = Id {
                    service: reader.service,
                    place: parked.place.clone(),
                };
                (id, parked)
            }));
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
            if is_last {
                break;
            }
        }
    }
    Ok(found)
}

/// How many failed events there are, at those services that answer.
pub(crate) async fn count(bus: &Bus) -> i64 {
    let asked = READERS
        .iter()
        .map(|reader| ask_service(bus, reader.service, &HowMany {}));
    let answers = join_all(asked).await;
    let counts = answers.iter().flatten().flatten();
    counts.map(|counts| counts.failed).sum()
}

fn position(service: &str) -> Option<usize> {
    READERS.iter().position(|reader| reader.service == service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_is_written() {
        let text = "statistics:RATE.1763000000000000.17";
        assert_eq!(text.parse::<Id>().unwrap().to_string(), text);
        for wrong in ["", "statistics", "nobody:RATE.1.2", "statistics:RATE.1"] {
            assert_eq!(wrong.parse::<Id>(), Err(()), "{wrong}");
        }
    }
}
