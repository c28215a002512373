-- A consumer whose stream was made anew or lost its end: what was stored there since this moment may be gone, in
-- microseconds since 1970. It is empty again when the answers that nobody's outbox has were given again.
ALTER TABLE progress ADD COLUMN lost_since BIGINT;
