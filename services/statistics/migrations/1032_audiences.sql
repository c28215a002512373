-- Staff see cells of five people, the public of ten: what a cell goes on to show is kept for both.
CREATE TABLE held_for (
    figure TEXT NOT NULL,      -- tick, rate, score, notification, login, species, scores or retention
    cell   TEXT NOT NULL,      -- the day, counted from 1970; the species' id, and a bucket; two weeks
    k      BIGINT NOT NULL,    -- who sees it: those who see cells of so many people
    shown  BIGINT NOT NULL,
    since  BIGINT NOT NULL,    -- when the first left since it showed what was counted
    PRIMARY KEY (figure, cell, k)
);
INSERT INTO held_for (figure, cell, k, shown, since) SELECT figure, cell, 10, shown, since FROM held;
INSERT INTO held_for (figure, cell, k, shown, since) SELECT figure, cell, 5, shown, since FROM held;
DROP TABLE held;
ALTER TABLE held_for RENAME TO held;

-- At least so many people were in a sealed day that has a number.
ALTER TABLE sealed ADD COLUMN people_at_least BIGINT NOT NULL DEFAULT 10;
