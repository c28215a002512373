-- Imports of another instance's export that were begun and have not ended: whose account is being made, and from which
-- archive. Whose data: that person's; the row goes when everything is taken, or with its person.
CREATE TABLE import (
    user_id  UUID PRIMARY KEY,
    archive  TEXT NOT NULL,  -- SHA-256 of the archive: another one is not mixed with it
    secret   UUID NOT NULL,  -- ids for those whom the archive does not name are made from it
    begun_at BIGINT NOT NULL
);
