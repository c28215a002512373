-- What admins decided about events that failed, as lists that do not change any more, and what came of it. Nobody's
-- data: they name places and kinds of events. A reason is the admin's words; an id that is erased is taken out of it.
CREATE TABLE decision (
    id      UUID PRIMARY KEY,
    action  TEXT NOT NULL,     -- replay, skip
    reason  TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE TABLE decision_event (
    decision UUID NOT NULL REFERENCES decision (id),
    position BIGINT NOT NULL,
    service  TEXT NOT NULL,
    place    TEXT NOT NULL,
    event    TEXT NOT NULL,
    state    TEXT NOT NULL,    -- pending, done, failed, gone
    detail   TEXT NOT NULL,
    PRIMARY KEY (decision, position)
);
CREATE INDEX decision_event_open ON decision_event (decision, position) WHERE state = 'pending';
