-- TickAPI's own tables. One text for SQLite and PostgreSQL: SQLite keeps ids as 16-byte blobs whatever the column
-- is called. Times are microseconds since 1970.

-- Pictures that somebody uploaded. Their owner's data.
CREATE TABLE image (
    id           UUID PRIMARY KEY,
    owner        UUID NOT NULL,
    width        BIGINT NOT NULL,            -- of the largest size, in pixels
    height       BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    ticked_at    BIGINT,                     -- since when a tick shows it: the feed holds these only
    score        DOUBLE PRECISION,           -- ScoreModel's, once it is there
    reasons      TEXT,                       -- why, as a JSON list
    scored_at    BIGINT,
    rating_count BIGINT NOT NULL DEFAULT 0,  -- of the ratings that stand
    rating_sum   BIGINT NOT NULL DEFAULT 0,
    rank_value   DOUBLE PRECISION NOT NULL   -- follows from the columns before; kept so that the feed can be read by it
);
CREATE INDEX image_owner ON image (owner);
CREATE INDEX image_new ON image (ticked_at, id) WHERE ticked_at IS NOT NULL;
CREATE INDEX image_best ON image (rank_value, id) WHERE ticked_at IS NOT NULL;

-- Uploads whose files may be on the disk without an image row yet. Their owner's data; rows live for seconds, and
-- after a crash until the files are cleared away.
CREATE TABLE upload (
    id       UUID PRIMARY KEY,
    owner    UUID NOT NULL,
    begun_at BIGINT NOT NULL
);
CREATE INDEX upload_owner ON upload (owner);

-- Ticks. Their owner's data; what nobody else may know is sealed.
CREATE TABLE tick (
    id          UUID PRIMARY KEY,
    owner       UUID NOT NULL,
    image       UUID NOT NULL REFERENCES image (id),
    species     TEXT,
    seen_on     DATE,
    day         DATE NOT NULL,               -- seen_on, or the day of the tick: what lists are ordered by
    birds       BIGINT,                      -- how many were seen
    place       BYTEA,                       -- sealed: the precise spot
    note        BYTEA,                       -- sealed
    fingerprint TEXT NOT NULL,               -- keyed hash of the request: the same again is the same tick
    created_at  BIGINT NOT NULL
);
CREATE INDEX tick_owner ON tick (owner, created_at, id);
CREATE INDEX tick_image ON tick (image);

-- Ticks that were taken back: a late repetition of the request must not bring them back. Their owner's data.
CREATE TABLE deleted_tick (
    id         UUID PRIMARY KEY,
    owner      UUID NOT NULL,
    deleted_at BIGINT NOT NULL
);
CREATE INDEX deleted_tick_owner ON deleted_tick (owner);

-- Ratings, one per image and rater. The rater's data, and about the image of its owner.
CREATE TABLE rating (
    image    UUID NOT NULL REFERENCES image (id),
    rater    UUID NOT NULL,
    rating   BIGINT,                         -- null once withdrawn: a late event must not bring it back
    event_id UUID NOT NULL,                  -- the event that told of it last
    rated_at BIGINT NOT NULL,
    PRIMARY KEY (image, rater)
);
CREATE INDEX rating_rater ON rating (rater);
