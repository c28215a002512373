//! PostgreSQL's planner keeps values of columns that it finds often, or at regular distances. Of ids of people it must not: none
//! of its statistics go with a row. Their columns have indexes, which is all that the planner needs to know.

use sqlx::postgres::PgPool;

use super::execute;
use crate::database::DatabaseError;

const GATHERED: &str = "SELECT c.relname::text, a.attname::text FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget IS DISTINCT FROM 0";
const KEPT: &str =
    "SELECT tablename::text, attname::text FROM pg_stats WHERE schemaname = current_schema()";

/// Sees to it that no statistics are gathered of what leads to somebody.
pub(crate) async fn gather_none(pool: &PgPool, service: &str) -> Result<(), DatabaseError> {
    let gathered: Vec<(String, String)> = sqlx::query_as(GATHERED).fetch_all(pool).await?;
    let mut own = pool.acquire().await?;
    for (table, column) in leading(gathered, service) {
        let statement =
            format!("ALTER TABLE \"{table}\" ALTER COLUMN \"{column}\" SET STATISTICS 0");
        execute(&mut own, statement).await?;
    }
    let kept: Vec<(String, String)> = sqlx::query_as(KEPT).fetch_all(&mut *own).await?;
    let kept = leading(kept, service).count();
    if kept > 0 {
        tracing::warn!(
            service,
            columns = kept,
            "PostgreSQL has statistics of columns with ids from before; as a superuser run: \
             DELETE FROM pg_statistic; VACUUM FULL pg_statistic; ANALYZE"
        );
    }
    Ok(())
}

/// Those of a service's columns that lead to somebody.
fn leading(
    columns: Vec<(String, String)>,
    service: &str,
) -> impl Iterator<Item = (String, String)> {
    columns.into_iter().filter(move |(table, column)| {
        let mut tables = data_map::tables_of(service);
        let table = tables.find(|mapped| mapped.name == table);
        let mut columns = table.into_iter().flat_map(|table| table.columns);
        columns.any(|mapped| {
            mapped.name == column && mapped.names_somebody() && mapped.category.leads_to_somebody()
        })
    })
}
