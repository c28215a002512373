//! Others while somebody sends the worst bodies: how long they wait, and what it takes.
//!
//! They wait longer for anybody who sends as fast as one can, above all on a machine that is busy with other things too. So the
//! measure is the same number of visitors who send what is refused at once: the worst bodies must not cost others twice as much.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use testkit::memory;

use super::{Report, Stage};

const SENDERS: usize = 4;
const SAMPLES: usize = 200;
/// On a machine that is busy with other things one measurement says little: so many may be taken, and one must be good.
const ROUNDS: usize = 10;
/// What costs next to nothing: a tick without a bird.
const HARMLESS: &str = r#"{"note": "x"}"#;
/// What is shorter is nobody's waiting, and mostly the machine's.
const UNNOTICED: Duration = Duration::from_millis(20);
/// What the process may take more, in kilobytes.
const MORE_MEMORY: u64 = 50 * 1024;

pub async fn attack(stage: &Stage, report: &mut Report) {
    let worst = WORST.each_ref().map(String::as_str);
    answers(stage).await;
    let before = memory(stage.running.pid());
    let mut most = 0;
    let mut is_bearable = false;
    for _ in 0..ROUNDS {
        let visited = answers_beside(stage, &[HARMLESS]).await;
        let attacked = answers_beside(stage, &worst).await;
        most = most.max(memory(stage.running.pid()).saturating_sub(before));
        println!(
            "        99 of 100 others: {visited:?} beside visitors, {attacked:?} beside attackers"
        );
        is_bearable = attacked < 2 * visited.max(UNNOTICED);
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

/// They are made once, as making them would take the time that is measured.
static WORST: LazyLock<[String; 3]> = LazyLock::new(|| {
    let deep = format!("{{\"note\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let keys: Vec<String> = (0..20_000).map(|key| format!("\"k{key}\":1")).collect();
    let large = format!("{{\"note\": \"{}\"}}", "x".repeat(11_000_000));
    [deep, format!("{{{}}}", keys.join(",")), large]
});

/// Within what 99 of 100 readers of the feed are answered while these bodies are sent without a pause.
async fn answers_beside(stage: &Stage, bodies: &[&'static str]) -> Duration {
    let senders = (0..SENDERS).map(|_| send_for_ever(stage, bodies));
    tokio::select! {
        within = answers(stage) => within,
        _ = join_all(senders) => unreachable!("they send for ever"),
    }
}

async fn send_for_ever(stage: &Stage, bodies: &[&'static str]) {
    loop {
        for body in bodies {
            let by = Some(&stage.mallory);
            stage
                .raw_json(Method::POST, "/api/v1/ticks", by, *body)
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
