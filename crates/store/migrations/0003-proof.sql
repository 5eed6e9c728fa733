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

CREATE TABLE blob_gone (
  -- Blobs of documents that were removed: their files go once nothing here names them or waits.
  hash BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE gone (
  -- A document that is somebody else's now. It can be read and not written until all that this device
  -- made of it has its receipt; then it is removed, and only this row stays.
  doc BLOB NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL,
  home TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;
