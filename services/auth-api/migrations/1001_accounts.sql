-- AuthAPI's tables. One text for SQLite and PostgreSQL; times are microseconds since 1970.
-- People are random user ids here: addresses and names are UserAPI's alone.

-- How a user proves who they are, and what they may do. A registration waits here, without
-- confirmed_at, until its mail was answered. Data of the user.
CREATE TABLE credential (
    user_id      UUID PRIMARY KEY,
    password     TEXT NOT NULL,     -- Argon2id, PHC string
    role         TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT
);

-- The links that confirm a registration: only the hash of what stands in the mail. A link
-- confirms the password that was chosen before its mail was made. Data of the user.
CREATE TABLE confirmation (
    token_hash TEXT PRIMARY KEY,
    user_id    UUID NOT NULL,
    password   TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX confirmation_by_user ON confirmation (user_id);

-- Who is logged in: only the hash of the token. Data of the user.
CREATE TABLE session (
    id         UUID PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    user_id    UUID NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_by_user ON session (user_id, created_at, id);
CREATE INDEX session_by_expiry ON session (expires_at);

-- The one code of a user that was mailed for what cannot be undone: only its keyed hash. Data of
-- the user.
CREATE TABLE mailed_code (
    user_id    UUID PRIMARY KEY,
    code_hash  TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    tries      BIGINT NOT NULL
);
