-- When the first relay received it: what lies in an inbox goes up, and keeps its origin like an entry.
ALTER TABLE parked ADD COLUMN first_received_ms INTEGER NOT NULL DEFAULT 0;
UPDATE parked SET first_received_ms = received_ms;
