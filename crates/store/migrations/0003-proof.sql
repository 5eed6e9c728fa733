-- Repair, packs, hand-over, levels, attachments: one block a topic.

-- Attachments.
CREATE TABLE attachment (
  -- Derived from documents: which blob each attachment is; thumb is empty where there is none.
  doc BLOB NOT NULL,
  id TEXT NOT NULL,
  visit TEXT NOT NULL DEFAULT '',
  hash BLOB NOT NULL,
  thumb BLOB NOT NULL DEFAULT x'',
  bytes INTEGER NOT NULL,
  void INTEGER NOT NULL DEFAULT 0,
  content TEXT NOT NULL,
  PRIMARY KEY (doc, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_hash ON attachment (hash);
CREATE INDEX attachment_thumb ON attachment (thumb) WHERE thumb <> x'';

CREATE TABLE blob_up (
  -- A blob that was attached here, and the life of the relay's log that has it; empty for none.
  -- It outlives the document on this device: what has no receipt is never forgotten.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL,
  doc BLOB NOT NULL,
  bytes INTEGER NOT NULL,
  thumb INTEGER NOT NULL DEFAULT 0,
  incarnation BLOB NOT NULL DEFAULT x'',
  UNIQUE (hash, doc)
) STRICT;
