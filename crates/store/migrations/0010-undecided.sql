-- How much of its inbox a relay said waits for this desk, at the last sync.
ALTER TABLE relay ADD COLUMN undecided INTEGER NOT NULL DEFAULT 0;
