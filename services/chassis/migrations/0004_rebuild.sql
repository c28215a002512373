-- The newest rebuild of a service's database from the streams: asked for by an operator, carried out by the process
-- that holds the lease.
CREATE TABLE rebuild (
    consumer          TEXT PRIMARY KEY,
    id                UUID NOT NULL,
    takes_over        TEXT NOT NULL,    -- never, if-equal, always
    events_per_second BIGINT,           -- at most
    state             TEXT NOT NULL,
    is_cancelled      BOOLEAN NOT NULL, -- somebody asked for its end
    progress          TEXT NOT NULL,    -- as JSON
    started_at        BIGINT NOT NULL,
    ended_at          BIGINT
);
