#!/bin/sh
# Run by PostgreSQL's image when its database is made, after postgresql-role.sql: the role's password, and the database as its own.
set -eu

psql --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
ALTER ROLE dipper PASSWORD :'password';
ALTER DATABASE dipper OWNER TO dipper;
SQL
