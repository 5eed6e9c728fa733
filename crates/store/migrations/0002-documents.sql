-- After a merge of two registrations of one family: the household this one is an alias of.
ALTER TABLE household ADD COLUMN alias_of BLOB;

-- Taken back by its author: kept, shown only when asked for, counted nowhere.
ALTER TABLE visit ADD COLUMN void INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN void INTEGER NOT NULL DEFAULT 0;

CREATE TABLE deed (
  -- What this device wrote, action by action, so that the last one can be taken back. state: 0 done,
  -- 1 taken back, 2 itself a taking back.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  action BLOB NOT NULL,
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  at_ms INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX deed_action ON deed (action);
CREATE INDEX deed_done ON deed (id) WHERE state = 0;
