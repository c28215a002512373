-- What an authenticator app shares with us, from when somebody begins to set it up. Data of the user.
CREATE TABLE second_factor (
    user_id       UUID PRIMARY KEY,
    secret_sealed BYTEA NOT NULL,
    confirmed_at  BIGINT,           -- microseconds since 1970; null until the first code came: nobody is asked for one before
    last_step     BIGINT NOT NULL   -- that of the last code that was taken: none works twice
);

-- Codes for whoever has lost the app, each for once: only their keyed hashes. Data of the user.
CREATE TABLE recovery_code (
    code_hash TEXT PRIMARY KEY,
    user_id   UUID NOT NULL
);
CREATE INDEX recovery_code_by_user ON recovery_code (user_id);
