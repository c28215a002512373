-- AdminAPI's tables. One text for SQLite and PostgreSQL; times are microseconds since 1970.

-- Who changed what, and why: a copy of the audit events, for the dashboard. Data of the admin
-- (admin_id) and of the person whom a change was about (target). When the admin is erased, the
-- entry stays without its author; when the target is erased, it says "erased" in its place.
CREATE TABLE audit (
    id       UUID PRIMARY KEY,  -- the event
    at       BIGINT NOT NULL,
    admin_id UUID,
    action   TEXT NOT NULL,
    target   TEXT NOT NULL,
    reason   TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_admin ON audit (admin_id);
