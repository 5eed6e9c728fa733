-- Attachments on their way between levels.
CREATE TABLE blob_told (
    -- An attachment of a document that the relay above has, in that life of its log; empty for none. It was
    -- last tried at asked_ms.
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    doc          BLOB    NOT NULL CHECK (length(doc) = 16),
    incarnation  BLOB    NOT NULL DEFAULT x'',
    asked_ms     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hash, doc)
) STRICT, WITHOUT ROWID;

CREATE TABLE blob_wanted (
    -- An attachment that somebody who reads its document asked for, and that is not here.
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    doc          BLOB    NOT NULL CHECK (length(doc) = 16),
    asked_ms     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hash, doc)
) STRICT, WITHOUT ROWID;
