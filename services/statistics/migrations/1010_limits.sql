-- Who wants to be in no figure, as UserAPI told it last. Their rows stay, so that all of it counts again when they want
-- that, and no figure is made of them meanwhile. Whose data: that person's.
CREATE TABLE limited (
    user_id    UUID PRIMARY KEY,
    stands     BOOLEAN NOT NULL,
    changed_at BIGINT NOT NULL
);
