-- How somebody limited what is done with their data, as UserAPI told it last. Whose data: that person's.
CREATE TABLE limited (
    user_id    UUID PRIMARY KEY,
    restricted BOOLEAN NOT NULL,  -- others see nothing of it, and nothing is added
    unscored   BOOLEAN NOT NULL,  -- their photos have no scores
    unplaced   BOOLEAN NOT NULL,  -- exact places of their sightings are not kept
    changed_at BIGINT NOT NULL
);
