-- What the figures are counted from. One text for SQLite and PostgreSQL. Times are microseconds
-- since 1970. No running totals are kept beside the rows: what is counted from rows cannot drift
-- from them, whatever the order of events and whoever is erased.

-- Each tick once, the birder's personal data. A tick that was taken back stays as a row that does
-- not stand, so that its `tick.new` changes nothing when it comes late.
CREATE TABLE tick (
    id         UUID NOT NULL,     -- the id of its tick.new event
    user_id    UUID NOT NULL,
    stands     BOOLEAN NOT NULL,
    image_id   UUID,              -- null as long as only its tick.delete has come
    species_id TEXT,
    scientific TEXT,
    english    TEXT,
    at         BIGINT,
    PRIMARY KEY (id, user_id)
);
CREATE INDEX tick_user ON tick (user_id, image_id);
CREATE INDEX tick_image ON tick (stands, image_id, user_id);
CREATE INDEX tick_at ON tick (stands, at, user_id);
CREATE INDEX tick_species ON tick (species_id, stands, user_id) WHERE species_id IS NOT NULL;

-- The newest word of each user about each image: personal data of the rater and of the image's
-- owner. A rating that was taken back stays without a value, so that older words stay old.
CREATE TABLE rating (
    user_id  UUID NOT NULL,
    image_id UUID NOT NULL,
    owner    UUID,                -- as far as an event said it
    value    BIGINT,              -- 1 to 5; null once it was taken back
    at       BIGINT NOT NULL,
    event_id UUID NOT NULL,
    PRIMARY KEY (user_id, image_id)
);
CREATE INDEX rating_image ON rating (image_id);
CREATE INDEX rating_owner ON rating (owner);
CREATE INDEX rating_value ON rating (value) WHERE value IS NOT NULL;
CREATE INDEX rating_at ON rating (at, user_id) WHERE value IS NOT NULL;

-- Each score, mail and log-in once: personal data of the image's owner, the recipient, the user.
CREATE TABLE fact (
    event_id UUID PRIMARY KEY,
    kind     TEXT NOT NULL,       -- score, notification or login
    user_id  UUID,
    image_id UUID,                -- of scores
    at       BIGINT NOT NULL
);
CREATE INDEX fact_kind ON fact (kind, at, user_id);
CREATE INDEX fact_user ON fact (user_id);
CREATE INDEX fact_image ON fact (image_id);

-- Who has registered, logged in, ticked or rated. A row a source, so that the readers of two
-- streams never wait for each other's rows.
CREATE TABLE person (
    user_id UUID NOT NULL,
    source  TEXT NOT NULL,        -- tick, rate or user
    PRIMARY KEY (user_id, source)
);

-- How many facts of a kind came to the end of their life: numbers that name nobody.
CREATE TABLE retired (
    kind TEXT PRIMARY KEY,
    n    BIGINT NOT NULL
);
