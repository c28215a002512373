-- The scan that ends an erasure. What is looked for is kept sealed until nothing of it is found any more.
ALTER TABLE erasure ADD COLUMN needles_sealed BYTEA; -- whose data: the requester's; null at the end
ALTER TABLE erasure ADD COLUMN control TEXT;         -- JSON: in which stores the person was found before
ALTER TABLE erasure ADD COLUMN begun_at BIGINT;        -- when its event was let go
ALTER TABLE erasure ADD COLUMN scan TEXT;            -- JSON: what the last look through the stores saw
ALTER TABLE erasure ADD COLUMN scanned_at BIGINT;
ALTER TABLE erasure ADD COLUMN looks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE erasure ADD COLUMN look_at BIGINT;       -- when to look again
