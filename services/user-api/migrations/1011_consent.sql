-- The ledger of consents (Art. 7 GDPR): who agreed to which text, or took it back, and when. Entries are only added.
-- Whose data: that person's.
CREATE TABLE consent (
    id       UUID PRIMARY KEY,
    user_id  UUID NOT NULL,
    purpose  TEXT NOT NULL,
    language TEXT NOT NULL,     -- of the text that was shown
    version  BIGINT NOT NULL,
    sha256   TEXT NOT NULL,     -- of its exact bytes
    given    BOOLEAN NOT NULL,  -- or taken back
    at       BIGINT NOT NULL
);
CREATE INDEX consent_user ON consent (user_id, at, id);
