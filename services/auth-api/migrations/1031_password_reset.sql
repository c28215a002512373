-- The links by which a new password is chosen: only the hash of what stands in the mail. Data of the user.
CREATE TABLE password_reset (
    token_hash TEXT PRIMARY KEY,
    user_id    UUID NOT NULL,
    expires_at BIGINT NOT NULL  -- microseconds since 1970
);
CREATE INDEX password_reset_by_user ON password_reset (user_id);
