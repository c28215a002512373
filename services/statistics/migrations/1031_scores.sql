-- The newest score of each image, as the bucket of a histogram: what is shown needs no more. Whose data: the image's
-- owner. Scores from before are in no histogram until Statistics is built anew.
CREATE TABLE image_score (
    image_id UUID PRIMARY KEY,
    bucket   BIGINT NOT NULL,     -- 0 to 19, from 1 to 5
    at       BIGINT NOT NULL,
    event_id UUID NOT NULL
);

-- Who objected to scores is in no figure about them.
ALTER TABLE limited ADD COLUMN unscored BOOLEAN NOT NULL DEFAULT false;
