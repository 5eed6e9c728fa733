-- Levels.
CREATE TABLE upstream (
    -- One row once this relay is below another: which one, how far its log was read (a cursor, empty for
    -- none), and up to which own position every entry has a row in `risen`.
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    url          TEXT    NOT NULL,
    relay_key    BLOB    NOT NULL CHECK (length(relay_key) = 32),
    name         TEXT    NOT NULL DEFAULT '',
    level        INTEGER NOT NULL DEFAULT 0,
    incarnation  BLOB    NOT NULL DEFAULT x'',
    cursor       BLOB    NOT NULL DEFAULT x'',
    through      INTEGER NOT NULL DEFAULT 0,
    complete     INTEGER NOT NULL DEFAULT 0,
    met_ms       INTEGER NOT NULL DEFAULT 0,
    tried_ms     INTEGER NOT NULL DEFAULT 0,
    failure      TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE risen (
    -- What became of an own entry at the relay above. state 0: numbered there, at `above`. 1: durable
    -- there without a number. 2: nothing of it goes up. 3: refused there.
    position  INTEGER PRIMARY KEY REFERENCES entry (position),
    state     INTEGER NOT NULL DEFAULT 0,
    above     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX risen_exception ON risen (position) WHERE state IN (1, 3);

CREATE TABLE watermark (
    -- Per level above the relay above: up to which of its positions all is durable there, and which own
    -- position that is.
    level     INTEGER PRIMARY KEY,
    above     INTEGER NOT NULL DEFAULT 0,
    position  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE above_name (
    -- Changes that have no number further up, as the relay above named them.
    doc   BLOB NOT NULL,
    hash  BLOB NOT NULL,
    PRIMARY KEY (doc, hash)
) STRICT, WITHOUT ROWID;

-- Whether a parked item is durable above too: 0 not told, 1 durable there, 2 refused there.
ALTER TABLE parked ADD COLUMN above INTEGER NOT NULL DEFAULT 0;
CREATE INDEX parked_to_tell ON parked (id) WHERE above = 0;
