CREATE TABLE unnumbered (
  -- Changes of others that a relay lost, was given back, and keeps without a number now: its digests do
  -- not count them.
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (doc, hash)
) STRICT, WITHOUT ROWID;
