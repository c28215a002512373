//! People who are erased while they and others go on: nothing of them is left in any store, whatever
//! comes later, and everybody else is as they were.

mod mails;
mod people;

use std::collections::BTreeMap;
use std::time::Duration;

use testkit::{Launch, create_admin};

use self::mails::{MailWatch, moody_mail_server};
use self::people::{Bystanders, Erased};
use super::rebuild::rebuild;
use super::rewind::{digests, once_more};
use super::{Setting, seconds};
use crate::places::{account_all, drain, replay, until};
use crate::report::Outcome;
use crate::world::{Plan, World};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "she keeps the ringing book";
/// So many are erased side by side.
const TOGETHER: usize = 10;
/// Consumers at which what they cannot read becomes a dead letter.
const READERS_OF_TICKS: [&str; 4] = ["user-api", "score-model", "statistics", "notifier"];
/// So many texts are searched for in one go.
const NEEDLES: usize = 200;
const PATIENCE: Duration = Duration::from_mins(5);

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let mut plan = Plan::together();
    for (name, value) in [
        // Long enough that a digest waits when its owner goes.
        ("DIPPER_DIGEST_INTERVAL", "5s"),
        // What ScoreModel says again then finds its former words.
        ("DIPPER_DUPLICATE_WINDOW", "3600s"),
    ] {
        plan.environment.push((name.to_owned(), value.to_owned()));
    }
    let mut world = World::start(&setting, &plan).await?;
    let mut outcome = Outcome::default();
    let bystanders = Bystanders::gather(&world.api).await;
    let mails = MailWatch::start(&world).await?;
    let moods = moody_mail_server(&world.mail, setting.seed);
    let mut erased = Vec::new();
    let many = setting.size.pick(3, 12, 500);
    for bunch in people::bunches(many, TOGETHER, setting.seed) {
        erased.extend(people::erase_all(&world, &bystanders, bunch).await?);
    }
    drop(moods);
    outcome.did(format!(
        "{} people erased, {TOGETHER} at once",
        erased.len()
    ));
    drain(&world, PATIENCE).await?;
    mails.compare(&erased, &mut outcome);
    until(
        "the broker's lists of subjects follow",
        PATIENCE,
        async || {
            people::lists_follow(&world.api, &erased)
                .await
                .then_some(())
        },
    )
    .await?;
    nothing_is_left(&setting, &world, &erased, ("after", &mut outcome)).await?;
    nothing_comes_back(&setting, &mut world, &erased, &mut outcome).await?;
    bystanders.are_as_they_were(&world.api, &mut outcome).await;
    account_all(&world, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// `dipper erase scan` finds none of them.
async fn nothing_is_left(
    setting: &Setting,
    world: &World,
    erased: &[Erased],
    (when, outcome): (&str, &mut Outcome),
) -> anyhow::Result<()> {
    let needles: Vec<&String> = erased.iter().flat_map(|one| &one.needles).collect();
    let folder = world.folder().to_string_lossy();
    let (mut findings, mut searched) = (Vec::new(), 0);
    for some in needles.chunks(NEEDLES) {
        let mut arguments = vec!["erase", "scan", "--data-dir", &*folder];
        arguments.extend(some.iter().flat_map(|needle| ["--needle", needle.as_str()]));
        let scan = Launch::new(&setting.binary.to_string_lossy(), &arguments);
        let output = scan.output().await;
        searched += some.len();
        if output.status.code() != Some(0) {
            let said = String::from_utf8_lossy(&output.stdout);
            let why = String::from_utf8_lossy(&output.stderr);
            findings.extend(said.lines().chain(why.lines()).map(str::to_owned));
        }
    }
    outcome.did(format!("{searched} texts searched for {when}"));
    outcome.demand(findings.is_empty(), || {
        let first = findings.first().cloned().unwrap_or_default();
        format!("{when}: {} findings, the first: {first}", findings.len())
    });
    Ok(())
}

/// Dead letters are tried again, old events published again, all consumers begin anew, and Statistics is
/// built anew: the tables stay as they are, and nobody is found.
async fn nothing_comes_back(
    setting: &Setting,
    world: &mut World,
    erased: &[Erased],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let binary = setting.binary.to_string_lossy();
    create_admin(&binary, world.folder(), EMAIL, PASSWORD).await;
    let admin = world
        .api
        .log_in(EMAIL.to_owned(), PASSWORD.to_owned())
        .await;
    for consumer in READERS_OF_TICKS {
        replay(&world.api, &admin, consumer).await?;
    }
    nothing_is_left(setting, world, erased, ("after all replays", outcome)).await?;
    // What the admin did is written down too.
    once_more(world).await?;
    let before = business(world).await?;
    let copies = people::publish_copies(world, erased).await;
    let (consumers, took) = once_more(world).await?;
    outcome.did(format!(
        "{copies} of their events published again, {consumers} consumers rewound in {}",
        seconds(took)
    ));
    until("nothing of it is left in a stream", PATIENCE, async || {
        (people::still_in_streams(world, erased).await == 0).then_some(())
    })
    .await?;
    rebuild(setting, world).await?;
    for (table, digest) in business(world).await? {
        outcome.demand(before.get(&table) == Some(&digest), || {
            format!("{table} is not what it was before")
        });
    }
    outcome.did(format!("{} tables equal", before.len()));
    nothing_is_left(setting, world, erased, ("once more", outcome)).await
}

/// The tables of birds and people. What is written down about erasures, rebuilds, mails and admins' acts
/// grows with them.
async fn business(world: &World) -> anyhow::Result<BTreeMap<String, String>> {
    const ABOUT_WORK: [&str; 6] = ["erased", "digest", "late", "rebuild", "recipient", "audit"];
    let mut tables = digests(world).await?;
    tables.retain(|name, _| {
        let table = name
            .split_once('.')
            .map_or(name.as_str(), |(_, table)| table);
        !ABOUT_WORK.contains(&table) && !table.starts_with("decision")
    });
    Ok(tables)
}
