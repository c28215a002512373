//! The files for analysis, read as analysts read them: with `DuckDB`.

use std::path::Path;

use chassis::clock::Clock;
use chrono::Days;
use scanner::{Report, Scanner};
use serde_json::{Value, json};
use testkit::{Api, Birder, eventually};
use tokio::process::Command;
use uuid::Uuid;

use crate::erasure::erase;
use crate::figures::{SPECIES, counted, ticks_at};
use crate::setup::up;

/// Prints what a question about a file answers, and what its columns mean.
const ASK: &str = r#"
import duckdb, json, sys
facts = sys.argv[1]
question = 'SELECT CAST("day" AS VARCHAR), "event", "species", "rating", "count" FROM read_parquet(?) ORDER BY "event"'
words = "SELECT decode(key), decode(value) FROM parquet_kv_metadata(?)"
ask = lambda question: duckdb.execute(question, [facts]).fetchall()
print(json.dumps({"rows": ask(question), "words": dict(ask(words))}))
"#;

async fn ask(file: &Path) -> Value {
    let modules = std::env::var_os("DIPPER_TEST_DUCKDB")
        .expect("DIPPER_TEST_DUCKDB names the folder that deploy/get-duckdb.sh prints");
    let mut python = Command::new("python3");
    let python = python.args(["-c", ASK]).arg(file);
    let output = python.env("PYTHONPATH", modules).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn names(file: &Path, birder: &Birder) -> bool {
    let mut report = Report::default();
    let scanner = Scanner::new(&[birder.id.to_string(), birder.email.clone()]).unwrap();
    scanner.scan(file, &mut report, &mut |_: &Report| {});
    !report.findings.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_day_is_a_file_that_duckdb_reads_and_that_no_erasure_has_to_touch() {
    let folder = tempfile::tempdir().unwrap();
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let birder = api.join("Ada").await;
    let then = Clock::default().now() - Days::new(2);
    ticks_at(folder.path(), birder.id, then).await;
    for _ in 0..11 {
        ticks_at(folder.path(), Uuid::new_v4(), then).await;
    }
    counted(&api, 12).await;
    assert_eq!(running.stop().await, Some(0));

    // Days are written when the service starts, and then every hour.
    let running = up(folder.path()).start().await;
    let api = Api::new(&running.url);
    let day = then.date_naive();
    let file = folder.path().join(format!("objects/facts/{day}.parquet"));
    eventually("the day is written", || async {
        file.exists().then_some(())
    })
    .await;
    let answer = ask(&file).await;
    let expected = json!([
        [day.to_string(), "score", null, null, 12],
        [day.to_string(), "tick", SPECIES, null, 12],
    ]);
    assert_eq!(answer["rows"], expected);
    let dictionary = include_str!("../../../../docs/analysis.md");
    for (column, meaning) in answer["words"].as_object().unwrap() {
        let row = format!("| `{column}` | {} |", meaning.as_str().unwrap());
        assert!(dictionary.contains(&row), "docs/analysis.md lacks: {row}");
    }

    let before = std::fs::read(&file).unwrap();
    assert!(!names(&file, &birder));
    let birder = api.log_in(birder.email.clone(), birder.password).await;
    erase(&api, &birder).await;
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(running.stop().await, Some(0));
}
