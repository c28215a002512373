//! Others while somebody sends the worst bodies: how long they wait, and what it takes.

use std::time::{Duration, Instant};

use futures::future::{join_all, select};
use reqwest::Method;
use std::pin::pin;

use super::wire::memory;
use super::{Report, Stage};

const SENDERS: usize = 4;
const SAMPLES: usize = 200;
/// On a machine that is busy with other things one measurement says little: so many may be taken, and one must be good.
const ROUNDS: usize = 10;
/// What is shorter is nobody's waiting, and mostly the machine's.
const UNNOTICED: Duration = Duration::from_millis(20);
/// What the process may take more, in kilobytes.
const MORE_MEMORY: u64 = 50 * 1024;

pub async fn attack(stage: &Stage, report: &mut Report) {
    let bodies = bodies();
    answers(stage).await;
    let before = memory(stage.running.pid());
    let mut most = 0;
    let mut is_bearable = false;
    for _ in 0..ROUNDS {
        let calm = answers(stage).await;
        let attackers = join_all((0..SENDERS).map(|_| send_for_ever(stage, &bodies)));
        let others = pin!(answers(stage));
        let attacked = match select(others, pin!(attackers)).await {
            futures::future::Either::Left((attacked, _)) => attacked,
            futures::future::Either::Right(_) => return,
        };
        most = most.max(memory(stage.running.pid()).saturating_sub(before));
        println!("        99 of 100 others: {calm:?} before, {attacked:?} meanwhile");
        is_bearable = attacked < 2 * calm.max(UNNOTICED);
        if is_bearable {
            break;
        }
    }
    println!("        the process takes {most} kB more");
    report.expect("10 others hardly wait meanwhile", &true, &is_bearable);
    report.expect(
        "10 and little memory is taken",
        &true,
        &(most < MORE_MEMORY),
    );
}

fn bodies() -> Vec<String> {
    let deep = format!("{{\"note\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let keys: Vec<String> = (0..20_000).map(|key| format!("\"k{key}\":1")).collect();
    let large = format!("{{\"note\": \"{}\"}}", "x".repeat(11_000_000));
    vec![deep, format!("{{{}}}", keys.join(",")), large]
}

async fn send_for_ever(stage: &Stage, bodies: &[String]) {
    loop {
        for body in bodies {
            let by = Some(&stage.mallory);
            stage
                .raw_json(Method::POST, "/api/v1/ticks", by, body)
                .await;
        }
    }
}

/// Within what 99 of 100 readers of the feed are answered.
async fn answers(stage: &Stage) -> Duration {
    let mut waits = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let began = Instant::now();
        stage.api.get("/api/v1/feed").await.expect(200);
        waits.push(began.elapsed());
    }
    waits.sort_unstable();
    waits[SAMPLES * 99 / 100]
}
