-- When the first relay received it: what lies in an inbox goes up, and keeps its origin like an entry.
ALTER TABLE parked ADD COLUMN first_received_ms INTEGER NOT NULL DEFAULT 0;
UPDATE parked SET first_received_ms = received_ms;

-- The day (since 1970) on which the log above was last read again because the digests differed, 0 for
-- never; `doubt` is 3 while they differ still.
ALTER TABLE upstream ADD COLUMN read_again_day INTEGER NOT NULL DEFAULT 0;
