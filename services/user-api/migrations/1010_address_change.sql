-- Changes of an address that wait for the link that was mailed to the new one. Whose data: the account's holder; the row
-- goes when the link is opened or too old, and with its person, whose own key seals the address here, too.
CREATE TABLE address_change (
    user_id      UUID PRIMARY KEY,
    key_sealed   BYTEA NOT NULL,
    email_sealed BYTEA NOT NULL,
    email_hash   TEXT NOT NULL,
    token_hash   TEXT UNIQUE,     -- SHA-256 of what the link holds; null until it is made
    expires_at   BIGINT NOT NULL
);
