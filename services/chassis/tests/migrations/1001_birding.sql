-- Tables of a small service, so that there is something to change.

-- What a change changes.
CREATE TABLE sighting (
    id      UUID PRIMARY KEY,
    species TEXT NOT NULL CHECK (species <> '')
);

-- A row for each time an event had its effect. Nothing here keeps an event from having it twice.
CREATE TABLE effect (
    event_id UUID NOT NULL,
    rating   BIGINT NOT NULL
);

-- A row for each transaction that made a group of changes.
CREATE TABLE group_commit (
    changes BIGINT NOT NULL
);
