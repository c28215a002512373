//! A live generation that is not what the streams say.

use serde_json::{Value, json};
use testkit::databases;

use super::{Instance, on_both};
use crate::setup::DIPPER;

on_both!(what_is_damaged_is_reported_and_then_repaired);

impl Instance {
    /// Counts rows of Statistics.
    pub async fn rows(&self, question: &'static str) -> i64 {
        match &self.postgres {
            Some(postgres) => {
                databases::postgres_count(&postgres.url(), "statistics", question).await
            }
            None => databases::sqlite_count(&self.live_file(), question).await,
        }
    }

    /// Changes the live generation behind its back.
    async fn damage(&self, statement: &'static str) {
        match &self.postgres {
            Some(postgres) => {
                databases::postgres_execute(&postgres.url(), "statistics", statement).await;
            }
            None => databases::sqlite_execute(&self.live_file(), statement).await,
        }
    }

    fn live_file(&self) -> std::path::PathBuf {
        let folder = self.folder.path().join("db");
        let pointer = std::fs::read_to_string(folder.join("statistics.current"));
        folder.join(pointer.map_or("statistics.db".to_owned(), |number| {
            format!("statistics.{}.db", number.trim())
        }))
    }

    async fn command(&self, arguments: &[&str]) -> std::process::Output {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let all = [&["rebuild", "statistics", "--data-dir", &folder], arguments].concat();
        testkit::Launch::new(DIPPER, &all).output().await
    }
}

/// A table of the comparison.
fn table<'a>(ended: &'a Value, name: &str) -> &'a Value {
    let tables = ended["progress"]["tables"].as_array().unwrap();
    tables.iter().find(|one| one["table"] == name).unwrap()
}

async fn what_is_damaged_is_reported_and_then_repaired(instance: Instance) {
    let api = &instance.api;
    instance.add_scores(30).await;
    let right = api.figures().await;
    instance
        .damage("UPDATE fact SET at = at + 1 WHERE event_id IN (SELECT event_id FROM fact LIMIT 1)")
        .await;
    instance
        .damage(
            "INSERT INTO person (user_id, source)
             SELECT user_id, 'tick' FROM person WHERE source = 'user'",
        )
        .await;
    for switch in ["never", "if-equal"] {
        instance.begin(json!({"switch": switch})).await;
        let ended = instance.ended().await;
        assert_eq!(ended["state"], "compared", "{ended:#}");
        assert_eq!(ended["is_equal"], false);
        let facts = table(&ended, "fact");
        assert_eq!(
            (&facts["only_live"], &facts["only_built"]),
            (&json!(1), &json!(1))
        );
        let people = table(&ended, "person");
        assert_eq!(
            (&people["only_live"], &people["only_built"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(table(&ended, "tick")["only_live"], 0);
    }
    let told = instance.command(&["--switch", "never"]).await;
    assert!(!told.status.success(), "{told:?}");
    assert!(
        String::from_utf8_lossy(&told.stdout).contains("different: 1 rows only live, 1 only built")
    );
    instance.begin(json!({"switch": "always"})).await;
    let ended = instance.ended().await;
    assert_eq!(
        (&ended["state"], &ended["is_equal"]),
        (&json!("switched"), &json!(false))
    );
    crate::round::expect_figures(api, &right).await;
    let told = instance.command(&[]).await;
    assert!(told.status.success(), "{told:?}");
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(
        text.contains("statistics is rebuilt and switched"),
        "{text}"
    );
    instance.has_one_generation().await;
    instance.stop().await;
}
