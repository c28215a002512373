-- The role of the services, and what it may do beside its own tables: move the write-ahead log on after an erasure, and see
-- that it did. Run as a superuser in the database that the services use, and set a password.
CREATE ROLE dipper LOGIN;
GRANT pg_checkpoint, pg_monitor TO dipper;
GRANT EXECUTE ON FUNCTION pg_switch_wal() TO dipper;
