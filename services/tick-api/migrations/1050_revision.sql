-- How often the tick was corrected: of two events about it, the one with the higher number stands.
ALTER TABLE tick ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
