CREATE TABLE lease (
    -- Until which day this device shows other people's data, and the greatest time it ever knew, so that a
    -- clock that is set back prolongs nothing. No row before the first sync that brought one.
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    until    INTEGER NOT NULL DEFAULT 0,
    key      BLOB    NOT NULL CHECK (length(key) = 32),
    seen_ms  INTEGER NOT NULL DEFAULT 0,
    tries    TEXT    NOT NULL DEFAULT ''
) STRICT;
