-- Facts whose stream keeps them for a time only leave before their stream loses them, a whole day at once; how many
-- there were stays, and names nobody. Up to its last day here, a kind's days are sealed: nothing is added to them.
-- `retired` keeps the numbers from before there were days, and those of days with too few people to tell the day.
CREATE TABLE sealed (
    kind   TEXT NOT NULL,
    day    BIGINT NOT NULL,  -- counted from 1970
    events BIGINT,           -- null where too few people were in it
    PRIMARY KEY (kind, day)
);
