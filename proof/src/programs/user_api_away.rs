//! UserAPI, which alone knows addresses, is away for long: mails wait, nobody is flooded with questions.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::Instant;

use super::{Setting, seconds};
use crate::load::{Amount, Crowd, CrowdSize, Load};
use crate::places::{compare_all, drain, mails, until};
use crate::report::Outcome;
use crate::world::{Plan, World};

/// A question waits so long for its answer.
const QUESTION: Duration = Duration::from_secs(2);
/// So long it may take until its absence is noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);
const MAIL_WITHIN: Duration = Duration::from_secs(10);

pub async fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let size = setting.size;
    let mut world = World::start(&setting, &Plan::apart("user-api")).await?;
    let crowd = CrowdSize {
        owners: 5,
        pictures: 2,
        raters: 10,
    };
    let crowd = Crowd::gather(&world.api, crowd).await;
    let away = Duration::from_secs(size.pick(10, 40, 600));
    world.kill("user-api").await;
    // Whoever listens and does not answer makes questions wait: the worse case.
    let watch = Watch::start(&world).await?;
    let began = Instant::now();
    let amount = Amount {
        ticks: 10,
        ratings: 100,
        within: away / 2,
    };
    let load = Load::start(&world.api, &crowd, amount, setting.seed);
    let logs = load.finish().await;
    tokio::time::sleep_until(began + away).await;
    let mut outcome = Outcome::default();
    let (asked, at_once) = watch.stop();
    outcome.did(format!(
        "away for {}; {asked} questions, at most {at_once} at once",
        seconds(away)
    ));
    outcome.demand(at_once <= 1, || {
        format!("{at_once} questions waited at once, although its absence was known")
    });
    let dead = world.wire().await.count("DEAD").await;
    outcome.demand(dead == 0, || format!("{dead} events are dead letters"));
    let before = mails(&world).await?.len();
    world.begin("user-api").await;
    let back = Instant::now();
    let first = until("mail flows", Duration::from_mins(1), async || {
        (mails(&world).await.ok()?.len() > before).then_some(())
    });
    let took = first.await.map(|_| back.elapsed())?;
    outcome.did(format!("first mail {} after its return", seconds(took)));
    outcome.demand(took < MAIL_WITHIN, || {
        format!("no mail for {} after its return", seconds(took))
    });
    drain(&world, Duration::from_mins(1)).await?;
    compare_all(&world, &crowd, &logs, &mut outcome).await?;
    world.stop_all().await;
    Ok(outcome)
}

/// Counts the questions for addresses.
struct Watch {
    counted: Arc<Mutex<Counted>>,
    listening: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Counted {
    asked: usize,
    at_once: usize,
}

impl Watch {
    async fn start(world: &World) -> anyhow::Result<Self> {
        let wire = world.wire().await;
        let mut questions = wire.client().subscribe("svc.user-api.address").await?;
        let counted = Arc::new(Mutex::new(Counted::default()));
        let (began, count) = (Instant::now(), Arc::clone(&counted));
        let listening = tokio::spawn(async move {
            let mut open = VecDeque::new();
            while questions.next().await.is_some() {
                let now = Instant::now();
                while open.front().is_some_and(|asked| now - *asked >= QUESTION) {
                    open.pop_front();
                }
                open.push_back(now);
                let mut counted = count.lock().unwrap_or_else(PoisonError::into_inner);
                counted.asked += 1;
                if now - began > NOTICED_WITHIN {
                    counted.at_once = counted.at_once.max(open.len());
                }
            }
        });
        Ok(Self { counted, listening })
    }

    /// How many there were, and how many at once.
    fn stop(self) -> (usize, usize) {
        self.listening.abort();
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        (counted.asked, counted.at_once)
    }
}
