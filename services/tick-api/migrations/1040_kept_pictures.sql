-- What the files of a picture take, and by what the same picture is known again. Their owner's data.
ALTER TABLE image ADD COLUMN bytes BIGINT;        -- of all its sizes; null for those from before it was counted
ALTER TABLE image ADD COLUMN content_hash TEXT;   -- keyed hash of the largest size
ALTER TABLE image ADD COLUMN model TEXT;          -- which model scored it, if it said so
ALTER TABLE upload ADD COLUMN bytes BIGINT;
CREATE INDEX image_content ON image (owner, content_hash);
CREATE INDEX image_scored ON image (id) WHERE scored_at IS NOT NULL;
