-- The unit that the invited person works for; empty for those who work for areas.
ALTER TABLE invitation ADD COLUMN unit BLOB NOT NULL DEFAULT x'';
