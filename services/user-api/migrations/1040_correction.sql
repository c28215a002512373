-- Ticks that were corrected, so that what was said before is overwritten in the stream. Whose data: whoever ticked.
CREATE TABLE correction (
    tick     UUID NOT NULL,
    user_id  UUID NOT NULL,
    revision BIGINT NOT NULL,  -- of the newest state: whatever says an older one goes
    asked    BIGINT NOT NULL,  -- how often something older was seen that may be in the stream
    done     BIGINT NOT NULL,  -- as much of that is overwritten
    PRIMARY KEY (tick, user_id)
);
CREATE INDEX correction_user ON correction (user_id);
CREATE INDEX correction_due ON correction (tick) WHERE asked > done;
