CREATE TABLE settlement (
    -- A desk's decision on an item, which is the entry at this position: of which item, by whose device
    -- the item was written, and whose device decided.
    position  INTEGER PRIMARY KEY REFERENCES entry (position),
    doc       BLOB NOT NULL,
    item      BLOB NOT NULL,
    author    BLOB NOT NULL,
    device    BLOB NOT NULL
) STRICT;
CREATE INDEX settlement_by_item ON settlement (doc, item);

-- parked.state 3: in the inbox, and discarded by a desk. It stays, with its reason.
