-- The Message-IDs of mails that a service was handing over when it deleted, as a JSON list: random, and the receipt names them.
ALTER TABLE erasure_service ADD COLUMN mails_under_way TEXT;
