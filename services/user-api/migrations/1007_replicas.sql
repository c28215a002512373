-- Servers of the broker that were away since events are being overwritten: their copies are made anew. The row without a
-- name says that events are being overwritten. Names nobody.
CREATE TABLE missed (
    server TEXT PRIMARY KEY,
    since  BIGINT NOT NULL
);
