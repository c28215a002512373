-- The audit: what an outbox sent is compared with what its consumers have. Times are microseconds since 1970.

-- Rows of before have no stream: they are not audited, and go by their age alone.
ALTER TABLE outbox ADD COLUMN stream TEXT;
ALTER TABLE outbox ADD COLUMN bucket BIGINT;      -- when it happened, in lengths of a bucket since 1970
ALTER TABLE outbox ADD COLUMN matched_at BIGINT;  -- when all its consumers were known to have it
ALTER TABLE outbox ADD COLUMN missing TEXT;       -- the consumers that were found to lack it, until they have it
CREATE INDEX outbox_unmatched ON outbox (stream, stream_sequence) WHERE sent_at IS NOT NULL AND matched_at IS NULL;
CREATE INDEX outbox_missing ON outbox (position) WHERE missing IS NOT NULL;

-- How many events the audit had published or answered again.
CREATE TABLE repair (
    stream TEXT PRIMARY KEY,
    events BIGINT NOT NULL
);

-- What a consumer has in its inbox, by producer, stream and time of the events: their number, and all their ids
-- under exclusive or. It saves asking for each id; what it does not tell, the inbox does.
CREATE TABLE digest (
    consumer TEXT NOT NULL,
    source   TEXT NOT NULL,
    stream   TEXT NOT NULL,
    bucket   BIGINT NOT NULL,
    events   BIGINT NOT NULL,
    xor_high BIGINT NOT NULL,
    xor_low  BIGINT NOT NULL,
    PRIMARY KEY (consumer, source, stream, bucket)
);
