-- Events that a newer one takes the place of are found by their ids, sent or not.
CREATE INDEX outbox_event ON outbox (event_id);
