-- When who is logged in last proved who they are: when they logged in, or later when that was asked again. Data of the user.
ALTER TABLE session ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;  -- microseconds since 1970
UPDATE session SET proved_at = created_at;
