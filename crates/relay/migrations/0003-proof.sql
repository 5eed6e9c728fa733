-- Holds, packs, inbox, levels, attachments: one block a topic.

-- Attachments.
CREATE TABLE blob (
    -- An attachment that is here whole, as a file named by its hash; who brought it first, and when.
    hash         BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    bytes        INTEGER NOT NULL DEFAULT 0,
    device       BLOB    NOT NULL CHECK (length(device) = 16),
    received_ms  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_by_device ON blob (device);

CREATE TABLE blob_ref (
    -- A document that names an attachment, as a device said that had the attachment or could read it:
    -- who may read the document may read the attachment.
    hash  BLOB NOT NULL REFERENCES blob (hash),
    doc   BLOB NOT NULL CHECK (length(doc) = 16),
    PRIMARY KEY (hash, doc)
) STRICT, WITHOUT ROWID;
