//! What a PostgreSQL server must be set to, and allow, so that deleted rows leave its files.

use std::str::FromStr as _;

use chassis::clock::Clock;
use chassis::database::{Database, DatabaseUrl};
use chassis::keys::Keys;
use chassis::scrub::obstacles;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use testkit::Postgres;

async fn complaints(url: &str) -> Vec<String> {
    obstacles(&DatabaseUrl::from_str(url).unwrap())
        .await
        .unwrap()
}

async fn set(server: &Postgres, statements: &[&'static str]) {
    let mut superuser = PgConnection::connect(&server.url_of("postgres"))
        .await
        .unwrap();
    for statement in statements {
        sqlx::query(AssertSqlSafe(*statement))
            .execute(&mut superuser)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_keeps_deleted_rows_is_told_of_with_what_to_do() {
    let server = Postgres::start().await;
    assert_eq!(complaints(&server.url()).await, Vec::<String>::new());
    set(&server, &["CREATE ROLE other LOGIN"]).await;
    let of_other = complaints(&server.url_of("other")).await;
    assert_eq!(of_other.len(), 1, "{of_other:?}");
    assert!(of_other[0].contains("GRANT pg_checkpoint"), "{of_other:?}");
    set(
        &server,
        &[
            "ALTER SYSTEM SET wal_recycle = on",
            "SELECT pg_reload_conf()",
        ],
    )
    .await;
    testkit::eventually("it is told", || async {
        let told = complaints(&server.url()).await;
        told.iter()
            .any(|one| one.contains("wal_recycle = off"))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn no_statistics_are_gathered_of_ids() {
    const GATHERED: &str = "SELECT attname::text FROM pg_attribute
        WHERE attrelid = 'notifier.outbox'::regclass AND attnum > 0 AND attstattarget <> 0";
    static NONE: sqlx::migrate::Migrator = sqlx::migrate::Migrator::DEFAULT;
    let server = Postgres::start().await;
    let url = DatabaseUrl::from_str(&server.url()).unwrap();
    let key = Keys::from_secret("a secret of this test, long enough to be one").unwrap();
    let fence = key.purpose("fence");
    Database::open(&url, "notifier", &NONE, Clock::default(), fence)
        .await
        .unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let gathered: Vec<String> = sqlx::query_scalar(GATHERED)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    for column in ["event_id", "subject", "body", "people"] {
        assert!(!gathered.iter().any(|one| one == column), "{column}");
    }
    assert!(gathered.iter().any(|one| one == "sent_at"));
}
