CREATE TABLE audit (
    -- What was done at this relay and by whom, each row chained to the one before; no row is ever changed.
    -- Ids, area codes and hashes only: who may read it learns nothing of a resident.
    n           INTEGER NOT NULL PRIMARY KEY CHECK (n > 0),
    at_ms       INTEGER NOT NULL DEFAULT 0,
    what        INTEGER NOT NULL DEFAULT 0,
    who_kind    INTEGER NOT NULL DEFAULT 0,
    who         BLOB    NOT NULL DEFAULT x'' CHECK (length(who) IN (0, 16)),
    about_kind  INTEGER NOT NULL DEFAULT 0,
    about       BLOB    NOT NULL DEFAULT x'' CHECK (length(about) IN (0, 16, 32)),
    prev        BLOB    NOT NULL CHECK (length(prev) = 32),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- A checkpoint names the last row of a restore.
CREATE INDEX audit_restored ON audit (n) WHERE what = 17;
