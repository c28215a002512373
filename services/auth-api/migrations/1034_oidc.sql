-- Who logs in with the OpenID Connect provider: only a keyed hash of what it calls them. Data of the user.
CREATE TABLE oidc_identity (
    subject_hash TEXT PRIMARY KEY,
    user_id      UUID NOT NULL,
    linked_at    BIGINT NOT NULL  -- microseconds since 1970
);
CREATE INDEX oidc_identity_by_user ON oidc_identity (user_id);

-- The next steps of log-ins with the provider, each for once; what else belongs to them is sealed in the browser's cookie. Names nobody.
CREATE TABLE oidc_step (
    id         UUID PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oidc_step_by_expiry ON oidc_step (expires_at);
