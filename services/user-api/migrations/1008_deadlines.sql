-- How an erasure keeps its deadline.
ALTER TABLE erasure ADD COLUMN extension_reason TEXT;            -- why it takes longer, as the requester is told
ALTER TABLE erasure ADD COLUMN alarmed BIGINT NOT NULL DEFAULT 0; -- how much of the time was used at the last alarm, percent
