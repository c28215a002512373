-- What an event said when it was noted, as a short keyed hash with its major: an event that says something else under the same id
-- is told from a repetition. Rows that were noted before there was one have none, and are compared with nothing.
ALTER TABLE inbox ADD COLUMN content BIGINT;
