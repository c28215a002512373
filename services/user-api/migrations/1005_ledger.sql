-- How far the ledger of erased people was when somebody was fenced off last: an older ledger, or
-- another one, is refused. One row. Names nobody.
CREATE TABLE ledger_head (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    entries BIGINT NOT NULL,
    link    TEXT NOT NULL
);

-- When no backup is left that may hold the person: set at the end of an erasure, for its receipt.
ALTER TABLE erasure ADD COLUMN backups_end_at BIGINT;
