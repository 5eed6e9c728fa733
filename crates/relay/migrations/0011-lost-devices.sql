-- The last batch of each life of a device's database: what a revocation and a purge order name.
CREATE INDEX batch_by_device ON batch (device, actor, number);

CREATE TABLE purge (
    -- Revoked devices that came all the same, and were told to remove what they hold.
    device         BLOB    NOT NULL PRIMARY KEY CHECK (length(device) = 16),
    told_ms        INTEGER NOT NULL DEFAULT 0,
    told_last_ms   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    -- Until which day a device may read, as it was last told; what it was told counts, not this.
    device  BLOB    NOT NULL PRIMARY KEY CHECK (length(device) = 16),
    until   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
