-- Whether the log of the relay above is in doubt: 0 no. 1: the cursor was of another log, or of another
-- scope; the next whole end tells. 2: it was told everything again, and the digests differ still.
-- Then a cursor to read from again, because something before it could not be taken for want of its
-- author's grant (empty for none), and the position of the last own order when that was so.
ALTER TABLE upstream ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE upstream ADD COLUMN reread BLOB NOT NULL DEFAULT x'';
ALTER TABLE upstream ADD COLUMN reread_orders INTEGER NOT NULL DEFAULT 0;

CREATE TABLE unproven (
    -- What has a number above and could not be taken here, because nobody said who its author is.
    doc   BLOB NOT NULL,
    hash  BLOB NOT NULL,
    PRIMARY KEY (doc, hash)
) STRICT, WITHOUT ROWID;

-- `parked.above` is 3 for what has a number above and none here.
