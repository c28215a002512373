-- Requests for an export of one's own data. Whose data: the requester's until the export ends; then
-- what names them, and the key that opens the archive, are null, and what stays names nobody.
CREATE TABLE export (
    id            UUID PRIMARY KEY,
    request_hash  TEXT NOT NULL UNIQUE, -- SHA-256 of the secret id
    user_id       UUID,
    state         TEXT NOT NULL,        -- planned, exporting, ready, expired
    requested_at  BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    attempt       UUID,                 -- names the archive's file, written or being written
    claimed_until BIGINT NOT NULL,      -- until then one process is writing
    key_sealed    BYTEA,                -- the archive's own key, sealed with the deployment's
    bytes         BIGINT                -- of the archive, once it is ready
);
CREATE INDEX export_user ON export (user_id);
-- Asking twice is asking once.
CREATE UNIQUE INDEX export_open ON export (user_id) WHERE state IN ('planned', 'exporting');
