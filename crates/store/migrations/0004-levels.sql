CREATE TABLE above_name (
  -- Changes that a relay told are durable at a level above it and have no number there: in an inbox, or
  -- waiting. They are not safe, whatever the watermarks say.
  relay BLOB NOT NULL,
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (relay, doc, hash)
) STRICT, WITHOUT ROWID;
