//! Looks through every column of every table of every service, whatever tables there are.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
use uuid::Uuid;

/// Tables of SQLite files in a folder with a row that holds an id, as text or as bytes.
pub async fn sqlite_tables_naming(folder: &Path, id: Uuid) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "db") {
            continue;
        }
        let address = format!("sqlite:{}?mode=ro", path.display());
        let mut connection = SqliteConnection::connect(&address).await.unwrap();
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        for table in tables {
            if sqlite_table_names(&mut connection, &table, id).await {
                found.push(format!("{} {table}", path.display()));
            }
        }
    }
    found
}

async fn sqlite_table_names(connection: &mut SqliteConnection, table: &str, id: Uuid) -> bool {
    let columns: Vec<String> = sqlx::query("SELECT name FROM pragma_table_info($1)")
        .bind(table)
        .fetch_all(&mut *connection)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get::<String, _>("name"))
        .collect();
    let hex = |text: &str| hex::encode_upper(text);
    let needles = [
        id.simple().to_string().to_uppercase(),
        hex(&id.to_string()),
        hex(&id.simple().to_string()),
    ];
    for column in columns {
        for needle in &needles {
            let text =
                format!("SELECT count(*) FROM \"{table}\" WHERE instr(hex(\"{column}\"), $1) > 0");
            let rows: i64 = sqlx::query_scalar(AssertSqlSafe(text))
                .bind(needle)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            if rows > 0 {
                return true;
            }
        }
    }
    false
}

/// Tables of all schemas of a PostgreSQL database with a row that holds an id.
pub async fn postgres_tables_naming(url: &str, id: Uuid) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT schemaname::text, tablename::text FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut found = Vec::new();
    for (schema, table) in tables {
        let text = format!(
            "SELECT count(*) FROM \"{schema}\".\"{table}\" AS t WHERE t::text LIKE $1 OR t::text LIKE $2"
        );
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(text))
            .bind(format!("%{id}%"))
            .bind(format!("%{}%", id.simple()))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        if rows > 0 {
            found.push(format!("{schema}.{table}"));
        }
    }
    found
}

/// Every table and column of a SQLite file.
pub async fn sqlite_columns(file: &Path) -> Vec<(String, String)> {
    let mut connection = open(file).await;
    let columns = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
    );
    columns.fetch_all(&mut connection).await.unwrap()
}

/// Every table and column of a schema of a PostgreSQL database.
pub async fn postgres_columns(url: &str, schema: &str) -> Vec<(String, String)> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let columns = sqlx::query_as(
        "SELECT c.table_name::text, c.column_name::text FROM information_schema.columns AS c
         JOIN information_schema.tables AS t USING (table_schema, table_name)
         WHERE c.table_schema = $1 AND t.table_type = 'BASE TABLE'",
    );
    columns
        .bind(schema)
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

/// Every table and column of a SQLite file that holds bytes.
pub async fn sqlite_byte_columns(file: &Path) -> Vec<(String, String)> {
    let mut connection = open(file).await;
    let columns = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND c.type = 'BYTEA'",
    );
    columns.fetch_all(&mut connection).await.unwrap()
}

/// Every table and column of a schema of a PostgreSQL database that holds bytes.
pub async fn postgres_byte_columns(url: &str, schema: &str) -> Vec<(String, String)> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let columns = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = $1 AND data_type = 'bytea'",
    );
    columns
        .bind(schema)
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

/// Ids and bytes of rows of a SQLite file, as a question asks for them.
pub async fn sqlite_values(file: &Path, question: String) -> Vec<(Uuid, Vec<u8>)> {
    let mut connection = open(file).await;
    let values = sqlx::query_as(AssertSqlSafe(question));
    values.fetch_all(&mut connection).await.unwrap()
}

/// Ids and bytes of rows of a schema of a PostgreSQL database, as a question asks for them.
pub async fn postgres_values(url: &str, schema: &str, question: String) -> Vec<(Uuid, Vec<u8>)> {
    let mut connection = open_schema(url, schema).await;
    let values = sqlx::query_as(AssertSqlSafe(question));
    values.fetch_all(&mut connection).await.unwrap()
}

/// The answer of a question that counts, of a SQLite file.
pub async fn sqlite_count(file: &Path, question: &'static str) -> i64 {
    let mut connection = open(file).await;
    let counting = sqlx::query_scalar(question).fetch_one(&mut connection);
    counting.await.unwrap()
}

/// Some bytes of a SQLite file.
pub async fn sqlite_bytes(file: &Path, question: &'static str) -> Vec<u8> {
    let mut connection = open(file).await;
    let reading = sqlx::query_scalar(question).fetch_one(&mut connection);
    reading.await.unwrap()
}

/// Changes a SQLite file behind its owner's back.
pub async fn sqlite_execute(file: &Path, statement: &'static str) {
    let mut connection = open(file).await;
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn open(file: &Path) -> SqliteConnection {
    let address = format!("sqlite:{}?mode=rw", file.display());
    SqliteConnection::connect(&address).await.unwrap()
}

/// The answer of a question that counts, of a schema of a PostgreSQL database.
pub async fn postgres_count(url: &str, schema: &str, question: &'static str) -> i64 {
    let mut connection = open_schema(url, schema).await;
    let counting = sqlx::query_scalar(question).fetch_one(&mut connection);
    counting.await.unwrap()
}

/// Changes a schema of a PostgreSQL database behind its owner's back.
pub async fn postgres_execute(url: &str, schema: &str, statement: &'static str) {
    let mut connection = open_schema(url, schema).await;
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
}

/// How many schemas a PostgreSQL database has whose names fit.
pub async fn postgres_schemas_like(url: &str, pattern: &str) -> usize {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let found: Vec<String> =
        sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE $1")
            .bind(pattern)
            .fetch_all(&mut connection)
            .await
            .unwrap();
    found.len()
}

async fn open_schema(url: &str, schema: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let path = format!("SET search_path TO {schema}");
    sqlx::query(AssertSqlSafe(path))
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}
