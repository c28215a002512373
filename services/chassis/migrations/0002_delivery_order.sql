-- Which process works on a service's projections: one at a time, until a moment of the database's clock.
-- What a worker commits names its epoch, so that one that was held up too long commits nothing any more.
CREATE TABLE lease (
    consumer     TEXT PRIMARY KEY,
    holder       TEXT NOT NULL,     -- a random name of the process
    epoch        BIGINT NOT NULL,   -- grows with every change of hands
    leased_until BIGINT NOT NULL
);

-- How far a consumer is in a stream, and what became of the events that it was offered.
CREATE TABLE progress (
    consumer        TEXT NOT NULL,
    stream          TEXT NOT NULL,
    incarnation     BIGINT NOT NULL,  -- when the stream was made: one that was lost begins at 1 again
    checkpoint      BIGINT NOT NULL,  -- all up to this sequence is handled or parked
    checkpoint_time BIGINT NOT NULL,  -- when the broker stored that message, in nanoseconds: another one at its place shows a stream that lost its end
    offered         BIGINT NOT NULL,
    processed       BIGINT NOT NULL,
    repeated        BIGINT NOT NULL,
    erased          BIGINT NOT NULL,
    skipped         BIGINT NOT NULL,  -- by somebody's decision
    PRIMARY KEY (consumer, stream)
);

-- Events that wait: to be tried again, for what they depend on, for somebody's decision, or behind another of their lane.
CREATE TABLE parked (
    consumer    TEXT NOT NULL,
    stream      TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    sequence    BIGINT NOT NULL,
    lane        TEXT,             -- the key whose order matters; nothing waits behind an event that cannot be read
    event_id    UUID,
    subject     TEXT NOT NULL,
    headers     TEXT NOT NULL,    -- as a JSON list of names and values
    body        BYTEA NOT NULL,   -- the original bytes
    people      TEXT NOT NULL,    -- ids that the event names, for erasure
    status      TEXT NOT NULL,    -- waiting, retry, error, failed
    dependency  TEXT,             -- what it waits for, of status error
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    attempts    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    parked_at   BIGINT NOT NULL,
    PRIMARY KEY (consumer, stream, incarnation, sequence)
);
CREATE INDEX parked_lane ON parked (consumer, stream, lane, incarnation, sequence) WHERE lane IS NOT NULL;

-- Which making of the stream acknowledged a sent event: another one does not have it.
ALTER TABLE outbox ADD COLUMN incarnation BIGINT;

-- What became of the events that each consumer took from its streams, in the words that operators use. What a stream
-- still holds for a consumer (UNPROCESSED) and what it is at just now (IN_PROGRESS), the broker knows.
CREATE VIEW delivery_status AS
    SELECT consumer, stream,
           CASE status WHEN 'waiting' THEN 'UNPROCESSED' WHEN 'error' THEN 'ERROR' WHEN 'retry' THEN 'RETRY' ELSE 'FAILED' END AS status,
           COUNT(*) AS events, MIN(parked_at) AS oldest_at
    FROM parked GROUP BY consumer, stream, status
    UNION ALL
    SELECT consumer, stream, 'COMPLETED', processed + repeated + erased + skipped, NULL FROM progress;
