-- Photos of erased people whose tick came after the fence: Statistics, which passed that tick over, still
-- has to be told to forget them. Names nobody: nothing says any more whose they were.
CREATE TABLE late_image (
    image UUID PRIMARY KEY
);
