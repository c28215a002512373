-- UserAPI's tables. One text for SQLite and PostgreSQL; times are microseconds since 1970.

-- The identity vault: who somebody is. Address and name are sealed with the person's own key, which
-- is sealed with the deployment's; deleting the row destroys the key, and with it every copy.
-- account_id exists here only; everybody else knows user_id. Whose data: the account's holder.
CREATE TABLE identity (
    account_id    UUID PRIMARY KEY,
    user_id       UUID NOT NULL UNIQUE,
    email_hash    TEXT UNIQUE,       -- keyed hash; null for callers of trust mode, who have no address
    key_sealed    BYTEA NOT NULL,
    email_sealed  BYTEA,
    name_sealed   BYTEA NOT NULL,
    notifications TEXT NOT NULL,     -- instant, hourly, daily or off
    locale        TEXT NOT NULL,
    created_at    BIGINT NOT NULL
);

-- The subject index: where in the streams a person, or an image that leads to one, is named.
-- Whose data: that person's; it goes when they are erased.
CREATE TABLE subject_index (
    person   UUID NOT NULL,          -- a user or an image
    stream   TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (person, stream, sequence)
);
CREATE INDEX subject_index_event ON subject_index (stream, sequence);

-- Whose image it is, as the first tick of it says. Whose data: the owner's.
CREATE TABLE image_owner (
    image UUID PRIMARY KEY,
    owner UUID NOT NULL
);
CREATE INDEX image_owner_owner ON image_owner (owner);

-- Events that came after their person was fenced off; the guard deletes them. Names nobody.
CREATE TABLE late (
    stream   TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (stream, sequence)
);

-- Erasure requests. Whose data: the requester's until it is done; then user_id is null and what
-- stays names nobody.
CREATE TABLE erasure (
    event_id       UUID PRIMARY KEY, -- of the gdpr.delete event
    request_hash   TEXT UNIQUE,      -- SHA-256 of the secret id; null when a foreign producer asked
    user_id        UUID,
    state          TEXT NOT NULL,    -- planned, fenced, erasing, erased
    requested_at   BIGINT NOT NULL,
    due_at         BIGINT NOT NULL,
    fenced_at      BIGINT,
    finished_at    BIGINT,
    events_deleted BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX erasure_user ON erasure (user_id);
-- Asking twice is asking once.
CREATE UNIQUE INDEX erasure_planned ON erasure (user_id) WHERE state = 'planned';

-- What each service said to a request. Names nobody.
CREATE TABLE erasure_service (
    event_id UUID NOT NULL,
    service  TEXT NOT NULL,
    state    TEXT NOT NULL,          -- waiting, done
    deleted  BIGINT NOT NULL,        -- how many rows, files and events went there
    PRIMARY KEY (event_id, service)
);
