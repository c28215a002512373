-- What waits to be mailed. One text for SQLite and PostgreSQL. Times are microseconds since 1970.
-- Ids only: addresses, names and texts are asked for and made at the moment of sending.

-- Whose image it is, as far as ticks have said: personal data of the owner.
CREATE TABLE image_owner (
    image_id UUID PRIMARY KEY,
    owner    UUID NOT NULL
);
CREATE INDEX image_owner_owner ON image_owner (owner);

-- Ratings that the image's owner was not told of yet: personal data of owner and rater.
CREATE TABLE pending (
    event_id  UUID PRIMARY KEY,   -- the rate.update event
    owner     UUID NOT NULL,
    rater     UUID NOT NULL,
    image_id  UUID NOT NULL,
    rating    BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    mail_id   UUID                -- the mail that tells of it, chosen before it is sent
);
CREATE INDEX pending_owner ON pending (owner, queued_at);
CREATE INDEX pending_rater ON pending (rater);

-- Owners who are or were told of ratings: personal data of the owner.
CREATE TABLE recipient (
    owner         UUID PRIMARY KEY,
    last_sent_at  BIGINT,         -- when the last mail about ratings was accepted
    due_at        BIGINT,         -- when to look at what waits; null when nothing does
    claimed_until BIGINT NOT NULL, -- until then one process is sending
    mail_id       UUID,           -- the mail on its way: after a crash it is sent under the same id
    attempts      BIGINT NOT NULL
);
CREATE INDEX recipient_due ON recipient (due_at) WHERE due_at IS NOT NULL;

-- Mails about accounts that wait to be sent: personal data of the user.
CREATE TABLE account_mail (
    id            UUID PRIMARY KEY,
    user_id       UUID NOT NULL,
    kind          TEXT NOT NULL,  -- confirm, already-registered or code
    queued_at     BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL,
    attempts      BIGINT NOT NULL
);
CREATE INDEX account_mail_due ON account_mail (due_at);
CREATE INDEX account_mail_user ON account_mail (user_id);

-- Links that unsubscribe, by the hash of their secret: personal data of the user.
CREATE TABLE unsubscribe (
    token_hash TEXT PRIMARY KEY,
    user_id    UUID NOT NULL,
    made_at    BIGINT NOT NULL
);
CREATE INDEX unsubscribe_user ON unsubscribe (user_id, made_at);
