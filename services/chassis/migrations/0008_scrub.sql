-- How much was deleted for good, and how much of that is also gone from PostgreSQL's files. SQLite has no use for it: its
-- log is emptied at once. A database begins with one deletion: what was deleted before this table was there.
CREATE TABLE scrub (
    asked  BIGINT NOT NULL,  -- changes that deleted for good
    done   BIGINT NOT NULL,  -- as many of them are gone from the files
    due_at BIGINT NOT NULL   -- when to see to it, in microseconds since 1970
);
INSERT INTO scrub (asked, done, due_at) VALUES (1, 0, 0);
