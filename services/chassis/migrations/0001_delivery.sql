-- What every service database holds beside its own tables. One text for SQLite and PostgreSQL:
-- SQLite keeps ids as 16-byte blobs whatever the column is called. Times are microseconds since 1970.

-- Events to publish, written in the transaction of the change that they tell of.
CREATE TABLE outbox (
    position        BIGINT PRIMARY KEY,  -- the order in which this process wrote them
    event_id        UUID NOT NULL,
    subject         TEXT NOT NULL,       -- its last token is the key whose order matters
    message_id      TEXT NOT NULL,
    body            TEXT NOT NULL,
    people          TEXT NOT NULL,       -- ids of users and images the event names, for erasure
    sent_at         BIGINT,
    stream_sequence BIGINT
);
CREATE INDEX outbox_unsent ON outbox (position) WHERE sent_at IS NULL;

-- Events a consumer has handled, written in the transaction of the effect.
CREATE TABLE inbox (
    consumer   TEXT NOT NULL,
    event_id   UUID NOT NULL,
    handled_at BIGINT NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

-- The fence: keyed hashes of the ids (users and their images) that were erased here.
CREATE TABLE erased (
    person    TEXT PRIMARY KEY,
    erased_at BIGINT NOT NULL
);
