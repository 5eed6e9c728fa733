CREATE TABLE meta (
    -- One row: which relay this is, and which life of its log.
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    relay_key    BLOB    NOT NULL CHECK (length(relay_key) = 32),
    incarnation  BLOB    NOT NULL CHECK (length(incarnation) = 16),
    name         TEXT    NOT NULL DEFAULT '',
    level        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE batch (
    -- What an author signed: the head and the names of all items, whether or not their bodies are here.
    id           INTEGER PRIMARY KEY,
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    head         BLOB    NOT NULL,
    names        BLOB    NOT NULL,
    signature    BLOB    NOT NULL CHECK (length(signature) = 64),
    device       BLOB    NOT NULL CHECK (length(device) = 16),
    actor        BLOB    NOT NULL CHECK (length(actor) = 8),
    number       INTEGER NOT NULL DEFAULT 0,
    received_ms  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batch_by_actor ON batch (actor, number);

CREATE TABLE shape (
    -- The genesis of a kind as data. Several may claim one kind: each document names its own.
    id      INTEGER PRIMARY KEY,
    kind    INTEGER NOT NULL DEFAULT 0,
    schema  INTEGER NOT NULL DEFAULT 0,
    bytes   BLOB    NOT NULL,
    UNIQUE (kind, schema, bytes)
) STRICT;

CREATE TABLE document (
    -- Where a document lives (by its own place or its owner's) and the digest of its changes.
    -- A document without a place is not in this table: its changes are in the inbox.
    doc         BLOB    NOT NULL PRIMARY KEY CHECK (length(doc) = 16),
    owner       BLOB    NOT NULL DEFAULT x'',
    home        TEXT    NOT NULL DEFAULT '',
    audiences   BLOB    NOT NULL DEFAULT x'80',
    place_n     INTEGER NOT NULL DEFAULT 0,
    place_hash  BLOB    NOT NULL DEFAULT x'',
    own_place   INTEGER NOT NULL DEFAULT 0,
    changes     INTEGER NOT NULL DEFAULT 0,
    sum         BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000'
) STRICT;
CREATE INDEX document_by_owner ON document (owner) WHERE owner <> x'';

CREATE TABLE genesis (
    -- The first change of a document, computed and never sent; one for each shape its writers know.
    doc    BLOB    NOT NULL,
    hash   BLOB    NOT NULL,
    shape  INTEGER NOT NULL REFERENCES shape (id),
    PRIMARY KEY (doc, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    -- The log. Positions are 1, 2, 3 …; a row is never changed and never goes.
    position           INTEGER PRIMARY KEY,
    kind               INTEGER NOT NULL DEFAULT 0,
    doc                BLOB    NOT NULL,
    hash               BLOB    NOT NULL CHECK (length(hash) = 32),
    batch              INTEGER NOT NULL DEFAULT 0,
    item               INTEGER NOT NULL DEFAULT 0,
    doc_kind           INTEGER NOT NULL DEFAULT 0,
    doc_schema         INTEGER NOT NULL DEFAULT 0,
    actor              BLOB    NOT NULL DEFAULT x'',
    seq                INTEGER NOT NULL DEFAULT 0,
    first_received_ms  INTEGER NOT NULL DEFAULT 0,
    received_ms        INTEGER NOT NULL DEFAULT 0,
    chain              BLOB    NOT NULL CHECK (length(chain) = 8),
    body               BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_by_name ON entry (doc, hash);
CREATE INDEX entry_by_author ON entry (doc, actor, seq) WHERE seq > 0;
CREATE INDEX entry_orders ON entry (position) WHERE kind = 6;

CREATE TABLE place_before (
    -- Where a document lived until the place entry at this position: those who had it learn it went.
    position   INTEGER PRIMARY KEY REFERENCES entry (position),
    doc        BLOB    NOT NULL,
    home       TEXT    NOT NULL DEFAULT '',
    audiences  BLOB    NOT NULL DEFAULT x'80'
) STRICT;
CREATE INDEX place_before_by_doc ON place_before (doc, position);

CREATE TABLE parked (
    -- Items without a number. state 1: waiting for what they rest on. state 2: in the inbox, with the
    -- reason; a person decides. The shape is the one its batch brought along.
    id           INTEGER PRIMARY KEY,
    state        INTEGER NOT NULL DEFAULT 0,
    reason       INTEGER NOT NULL DEFAULT 0,
    kind         INTEGER NOT NULL DEFAULT 0,
    doc          BLOB    NOT NULL,
    hash         BLOB    NOT NULL,
    batch        INTEGER NOT NULL REFERENCES batch (id),
    item         INTEGER NOT NULL DEFAULT 0,
    device       BLOB    NOT NULL,
    doc_kind     INTEGER NOT NULL DEFAULT 0,
    doc_schema   INTEGER NOT NULL DEFAULT 0,
    owner        BLOB    NOT NULL DEFAULT x'',
    actor        BLOB    NOT NULL DEFAULT x'',
    seq          INTEGER NOT NULL DEFAULT 0,
    received_ms  INTEGER NOT NULL DEFAULT 0,
    shape        BLOB    NOT NULL DEFAULT x'',
    body         BLOB    NOT NULL,
    UNIQUE (doc, hash)
) STRICT;
CREATE INDEX parked_by_device ON parked (device, state);
CREATE INDEX parked_by_author ON parked (doc, actor, seq) WHERE state = 1;
CREATE INDEX parked_by_owner ON parked (owner) WHERE owner <> x'';

CREATE TABLE missing (
    -- What a waiting item waits for.
    doc     BLOB    NOT NULL,
    hash    BLOB    NOT NULL,
    parked  INTEGER NOT NULL REFERENCES parked (id) ON DELETE CASCADE,
    PRIMARY KEY (doc, hash, parked)
) STRICT, WITHOUT ROWID;
CREATE INDEX missing_by_parked ON missing (parked);

CREATE TABLE digest (
    -- The digests of all documents at home in an area (its digits as bytes, the area itself and not
    -- those inside it) or received by a person (16 bytes). Added up over a prefix when asked.
    audience   BLOB    NOT NULL PRIMARY KEY,
    documents  INTEGER NOT NULL DEFAULT 0,
    changes    INTEGER NOT NULL DEFAULT 0,
    sum        BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000'
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation (
    -- An invitation by the public part of its code. The secret is not here, only the key made of it.
    public         TEXT    NOT NULL PRIMARY KEY,
    proof_key      BLOB    NOT NULL CHECK (length(proof_key) = 32),
    person         BLOB    NOT NULL CHECK (length(person) = 16),
    name           TEXT    NOT NULL DEFAULT '',
    role           TEXT    NOT NULL DEFAULT '',
    areas          BLOB    NOT NULL,
    expires_ms     INTEGER NOT NULL DEFAULT 0,
    wrong_tries    INTEGER NOT NULL DEFAULT 0,
    spent_by       BLOB    NOT NULL DEFAULT x''
) STRICT;

CREATE TABLE device_seen (
    -- When a device last synced; coarse, never part of the log.
    device   BLOB    NOT NULL PRIMARY KEY CHECK (length(device) = 16),
    seen_ms  INTEGER NOT NULL DEFAULT 0
) STRICT;
