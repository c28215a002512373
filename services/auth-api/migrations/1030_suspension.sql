-- Who may not log in for a time. Data of the user; why is in the audit log of AdminAPI.
CREATE TABLE suspension (
    user_id         UUID PRIMARY KEY,
    suspended_until BIGINT NOT NULL  -- microseconds since 1970
);
CREATE INDEX suspension_by_end ON suspension (suspended_until);
