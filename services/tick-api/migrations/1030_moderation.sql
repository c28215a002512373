-- What people report about photos, and what moderators decide. Times are microseconds since 1970.

-- One per photo and person. The reporter's data; it goes with the reporter, and with the photo's owner.
CREATE TABLE report (
    id          UUID PRIMARY KEY,
    image       UUID NOT NULL REFERENCES image (id),
    reporter    UUID NOT NULL,
    category    TEXT NOT NULL,
    note        BYTEA,             -- sealed
    reported_at BIGINT NOT NULL,
    UNIQUE (image, reporter)
);
CREATE INDEX report_reporter ON report (reporter);

-- A photo that was reported. Its owner's data.
CREATE TABLE moderation_case (
    id          UUID PRIMARY KEY,  -- what the audit log knows it by: it leads nowhere once the row is gone
    image       UUID NOT NULL UNIQUE REFERENCES image (id),
    is_open     BOOLEAN NOT NULL,  -- a report or an appeal waits for a decision
    changed_at  BIGINT NOT NULL,   -- since when that is so
    hidden_for  TEXT,              -- the category for which others do not see the photo
    appeal      BYTEA,             -- sealed: what its owner says against that
    appealed_at BIGINT
);
CREATE INDEX moderation_case_queue ON moderation_case (is_open, changed_at, id);
