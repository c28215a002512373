-- What a public cell goes on to show after somebody left it: what it shows without them would tell how much of it was
-- theirs. It names nobody: only cells of ten people or more are here.
CREATE TABLE held (
    figure TEXT NOT NULL,    -- tick, rate, score, notification, login or species
    cell   TEXT NOT NULL,    -- the day, counted from 1970, or the species' id
    shown  BIGINT NOT NULL,
    since  BIGINT NOT NULL,  -- when the first left since it showed what was counted
    PRIMARY KEY (figure, cell)
);
