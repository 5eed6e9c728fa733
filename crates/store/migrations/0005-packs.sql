CREATE TABLE packed (
  -- A document as a pack brought it. Of the changes in it this is the only copy here; names are their
  -- hashes, sorted, 32 bytes each. What came later is in change. All of them are in a relay's log, up to
  -- a position, and were there at a time of its clock.
  doc BLOB NOT NULL PRIMARY KEY,
  relay BLOB NOT NULL,
  position INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  -- Whether this device once wrote to it and lost that.
  own INTEGER NOT NULL DEFAULT 0,
  names BLOB NOT NULL,
  saved BLOB NOT NULL
) STRICT;

CREATE TABLE pack_frame (
  -- Frames of packs, by the hash of their bytes: taken in, or as far as they came before the line was cut.
  hash BLOB NOT NULL PRIMARY KEY,
  taken INTEGER NOT NULL DEFAULT 0,
  part BLOB NOT NULL DEFAULT x''
) STRICT;

-- What the cursor says of grants: the last order when reading began from the beginning; 0 for none.
ALTER TABLE relay ADD COLUMN granted INTEGER NOT NULL DEFAULT 0;
