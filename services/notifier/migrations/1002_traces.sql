-- Where in a trace the rating was: random numbers, nobody's data.
ALTER TABLE pending ADD COLUMN traceparent TEXT;
