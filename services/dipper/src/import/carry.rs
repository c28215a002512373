//! Asking each service to take its part. Every question may be asked again, so whoever was interrupted begins anew.

use std::fmt::Display;
use std::io::{Read, Seek};
use std::time::Duration;

use anyhow::{anyhow, bail};
use archive::{Photo, Row, Unpacked};
use chassis::access::{GiveBack, PassOver};
use chassis::bus::Bus;
use chassis::rpc::{AskError, ask, ask_service};
use clients::import::{AnyKnown, EndImport, PhotoPart, RatingsGiven, ReturnEvents};
use data_map::Table;
use envelope::{ImageId, UserId};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::check::size_of;
use super::others::Others;
use super::plan::{Account, Plan, RATINGS};

/// A message of the broker has a megabyte.
const BYTES: usize = 256 * 1024;
const IDS: usize = 1000;
/// A service that starts just now is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Those who keep what these events did as rows, and would do it again.
const KNOW: [&str; 2] = [tick_api::NAME, notifier::NAME];

/// Does all of it. Answers the password, if it was made for the person.
pub(super) async fn all<R: Read + Seek>(
    bus: &Bus,
    archive: &mut Unpacked<R>,
    plan: Plan,
    account: Account,
) -> anyhow::Result<Option<String>> {
    let beginning = plan.beginning(&archive.hash);
    let begun = patiently(async || ask(bus, &beginning).await).await?;
    refuse_known(bus, &plan.unknown()).await?;
    let others = plan.others(&archive.document, begun.secret)?;
    let import = Import {
        bus,
        user: plan.identity.user,
        secret: begun.secret,
    };
    for (table, rows) in &plan.rows {
        import.rows(table, rows).await?;
    }
    import.ratings(&plan, &others).await?;
    for photo in archive.document.photos.clone() {
        import.photo(archive, &photo).await?;
    }
    import.events(&others).await?;
    patiently(async || ask(bus, &plan.identity).await).await?;
    let credential = plan.credential(account);
    let made = patiently(async || ask(bus, &credential).await).await?;
    let end = EndImport { user: import.user };
    patiently(async || ask(bus, &end).await).await?;
    Ok(made)
}

/// Before anything is changed.
async fn refuse_known(bus: &Bus, unknown: &AnyKnown) -> anyhow::Result<()> {
    let longest = unknown
        .photos
        .len()
        .max(unknown.rated.len())
        .max(unknown.ticks.len());
    for from in (0..longest).step_by(IDS) {
        let question = AnyKnown {
            user: unknown.user,
            photos: part(&unknown.photos, from),
            rated: part(&unknown.rated, from),
            ticks: part(&unknown.ticks, from),
        };
        if patiently(async || ask(bus, &question).await).await? {
            return Err(explained("taken"));
        }
    }
    Ok(())
}

fn part<T: Clone>(all: &[T], from: usize) -> Vec<T> {
    all.iter().skip(from).take(IDS).cloned().collect()
}

struct Import<'a> {
    bus: &'a Bus,
    user: UserId,
    secret: Uuid,
}

impl Import<'_> {
    /// The same page has the same id whenever it is asked for.
    fn page(&self, name: impl Display) -> Uuid {
        Uuid::new_v5(&self.secret, format!("page {name}").as_bytes())
    }

    async fn rows(&self, table: &Table, rows: &[Row]) -> anyhow::Result<()> {
        for (number, rows) in pages(rows).into_iter().enumerate() {
            let question = GiveBack {
                user: self.user,
                table: table.name.to_owned(),
                page: self.page(format!("{} {} {number}", table.service, table.name)),
                rows: rows.to_vec(),
            };
            patiently(async || ask_service(self.bus, table.service, &question).await).await?;
        }
        Ok(())
    }

    async fn ratings(&self, plan: &Plan, others: &Others) -> anyhow::Result<()> {
        let table = data_map::tables_of(RATINGS.0).find(|table| table.name == RATINGS.1);
        if let Some(table) = table {
            self.rows(table, &others.received).await?;
        }
        for ratings in plan.given.chunks(IDS) {
            let question = RatingsGiven {
                user: self.user,
                ratings: ratings.to_vec(),
            };
            patiently(async || ask(self.bus, &question).await).await?;
        }
        Ok(())
    }

    async fn photo<R: Read + Seek>(
        &self,
        archive: &mut Unpacked<R>,
        photo: &Photo,
    ) -> anyhow::Result<()> {
        for name in &photo.files {
            let Some(size) = size_of(photo.id, name) else {
                bail!("{name} in the archive is no size of its photo");
            };
            let file = archive.photo(name)?;
            let mut offset = 0;
            for bytes in file.chunks(BYTES) {
                let question = PhotoPart {
                    user: self.user,
                    image: ImageId(photo.id),
                    size,
                    offset,
                    bytes: hex::encode(bytes),
                    length: file.len() as u64,
                };
                patiently(async || ask(self.bus, &question).await).await?;
                offset += bytes.len() as u64;
            }
        }
        Ok(())
    }

    async fn events(&self, others: &Others) -> anyhow::Result<()> {
        for events in others.done().chunks(IDS) {
            let question = PassOver {
                events: events.to_vec(),
            };
            for service in KNOW {
                patiently(async || ask_service(self.bus, service, &question).await).await?;
            }
        }
        for (number, events) in pages(&others.events_by_entity()).into_iter().enumerate() {
            let question = ReturnEvents {
                user: self.user,
                page: self.page(format!("events {number}")),
                events: events.to_vec(),
            };
            patiently(async || ask(self.bus, &question).await).await?;
        }
        Ok(())
    }
}

/// Parts that fit into a message each.
fn pages<T: Serialize>(all: &[T]) -> Vec<&[T]> {
    let (mut pages, mut rest) = (Vec::new(), all);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|one| {
            bytes += serde_json::to_vec(one).map_or(0, |text| text.len());
            bytes <= BYTES
        });
        let (page, later) = rest.split_at(fitting.take(IDS).count().max(1));
        pages.push(page);
        rest = later;
    }
    pages
}

/// Asks again while nobody answers.
async fn patiently<A>(asking: impl AsyncFn() -> Result<A, AskError>) -> anyhow::Result<A> {
    let until = Instant::now() + PATIENCE;
    loop {
        match asking().await {
            Ok(answer) => return Ok(answer),
            Err(AskError::Unavailable(_)) if Instant::now() < until => sleep(ASK_AGAIN).await,
            Err(error) => {
                let refused = error.refusal().map(explained);
                return Err(refused.unwrap_or_else(|| {
                    anyhow!("{error}; is the instance running well? import the same archive again to go on")
                }));
            }
        }
    }
}

fn explained(refusal: &str) -> anyhow::Error {
    match refusal {
        "exists" => anyhow!("this person is here already; nothing was changed"),
        "erased" => anyhow!(
            "this person, or somebody or something in the archive, was erased here and stays so"
        ),
        "address-taken" => anyhow!("another account here has this person's address"),
        "another-archive" => anyhow!(
            "the import of another archive of this person has not ended; go on with that one, or erase them"
        ),
        "taken" => anyhow!(
            "a photo, a tick or a rated photo in the archive is here already, and somebody else's"
        ),
        "invalid-email" | "invalid-name" | "invalid-locale" => {
            anyhow!("the archive's identity cannot be taken: {refusal}")
        }
        "invalid-password" => anyhow!(
            "the password must have 8 to 200 characters; import the same archive again with such a one"
        ),
        "retired" => anyhow!(
            "the archive holds events of an old version that this instance does not take any more"
        ),
        "bad-photo" => anyhow!("a photo in the archive is no picture as Dipper keeps them"),
        other => anyhow!("refused: {other}"),
    }
}
