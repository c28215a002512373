-- How somebody limited what is done with their data: restricted it (Art. 18 GDPR), or objected to a purpose (Art. 21).
-- That they want no mail is their identity's `notifications`, and is not said twice. Whose data: that person's.
CREATE TABLE processing_limit (
    user_id    UUID PRIMARY KEY,
    restricted BOOLEAN NOT NULL,
    scoring    BOOLEAN NOT NULL,  -- objected to scores of their photos
    statistics BOOLEAN NOT NULL,  -- objected to being in figures
    places     BOOLEAN NOT NULL,  -- took back the consent to exact places: what the ledger's newest entry says
    changed_at BIGINT NOT NULL
);
