-- Repair, packs, hand-over, levels, attachments: one block a topic.

CREATE TABLE gone (
  -- A document that is somebody else's now. It can be read and not written until all that this device
  -- made of it has its receipt; then it is removed, and only this row stays.
  doc BLOB NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL,
  home TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;
