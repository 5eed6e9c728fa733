CREATE TABLE meta (
  -- One fact about this database a row: its life, its counters.
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE document (
  -- A document: where it lives, its digest, and its saved form, which is only a cache of its changes.
  doc BLOB NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL,
  schema INTEGER NOT NULL DEFAULT 0,
  owner BLOB,
  home TEXT NOT NULL DEFAULT '',
  audiences BLOB NOT NULL DEFAULT x'80',
  place_n INTEGER NOT NULL DEFAULT -1,
  place_hash BLOB NOT NULL DEFAULT x'',
  changes INTEGER NOT NULL DEFAULT 0,
  sum BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
  saved BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE INDEX document_owner ON document (owner) WHERE owner IS NOT NULL;
CREATE INDEX document_home ON document (home);

CREATE TABLE change (
  -- The truth: every change this device made or received, named (document, hash). state: 0 part of
  -- the document, 1 waits for what it rests on, 2 held by the gate with a reason.
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  actor BLOB NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL DEFAULT 0,
  own INTEGER NOT NULL DEFAULT 0,
  batch BLOB,
  state INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  raw BLOB NOT NULL,
  PRIMARY KEY (doc, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_state ON change (state) WHERE state <> 0;

CREATE TABLE place (
  -- Every place this device made or received; the document's row has the one that wins.
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  bytes BLOB NOT NULL,
  batch BLOB,
  PRIMARY KEY (doc, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
  -- Entries of kinds this program does not know, kept byte for byte.
  kind INTEGER NOT NULL,
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  bytes BLOB NOT NULL,
  batch BLOB,
  PRIMARY KEY (kind, doc, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE batch (
  -- Signed batches, own and received: who wrote what can be shown years later.
  hash BLOB NOT NULL PRIMARY KEY,
  device BLOB NOT NULL,
  actor BLOB NOT NULL,
  number INTEGER NOT NULL,
  head BLOB NOT NULL,
  names BLOB NOT NULL,
  signature BLOB NOT NULL,
  own INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batch_actor ON batch (actor, number);

CREATE TABLE writer (
  -- Which device an actor belongs to, as the batches it signed say.
  actor BLOB NOT NULL PRIMARY KEY,
  device BLOB NOT NULL
) STRICT;

CREATE TABLE outbox (
  -- What this device made and has no receipt for. state: 0 to be sent, 1 waits at a relay for what it
  -- rests on, 2 in a relay's inbox, 3 refused by a relay.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  entry INTEGER NOT NULL,
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  action BLOB,
  area TEXT NOT NULL,
  urgent INTEGER NOT NULL DEFAULT 0,
  batch BLOB,
  state INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  UNIQUE (entry, doc, hash)
) STRICT;
CREATE INDEX outbox_batch ON outbox (batch);

CREATE TABLE relay (
  -- A relay this device has met, and the one cursor into its log.
  relay BLOB NOT NULL PRIMARY KEY,
  incarnation BLOB NOT NULL DEFAULT x'',
  position INTEGER NOT NULL DEFAULT 0,
  chain INTEGER NOT NULL DEFAULT 0,
  last_sync_ms INTEGER NOT NULL DEFAULT 0,
  inbox INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE arrival (
  -- Where a change stands in a relay's log, from a receipt or a page.
  relay BLOB NOT NULL,
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  position INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (doc, hash, relay)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipt (
  -- The relay's signed word, kept as the proof it is.
  relay BLOB NOT NULL,
  batch BLOB NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (batch, relay)
) STRICT, WITHOUT ROWID;

CREATE TABLE watermark (
  -- Per level above a relay: up to which of its positions all is durable there.
  relay BLOB NOT NULL,
  level INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (relay, level)
) STRICT, WITHOUT ROWID;

CREATE TABLE complete (
  -- Whether this device holds exactly what the relay has of an area, proven by digests.
  area TEXT NOT NULL PRIMARY KEY,
  changes INTEGER NOT NULL,
  sum BLOB NOT NULL,
  equal INTEGER NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE roster_order (
  -- Signed orders, in the order they came.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL UNIQUE,
  position INTEGER NOT NULL DEFAULT 0,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE household (
  -- Derived from household documents.
  doc BLOB NOT NULL PRIMARY KEY,
  area TEXT NOT NULL DEFAULT '',
  village_group INTEGER NOT NULL DEFAULT 0,
  door TEXT NOT NULL DEFAULT '',
  door_number INTEGER NOT NULL DEFAULT 0,
  number TEXT NOT NULL DEFAULT '',
  head_name TEXT NOT NULL DEFAULT '',
  phone TEXT NOT NULL DEFAULT '',
  residence TEXT NOT NULL DEFAULT '',
  members INTEGER NOT NULL DEFAULT 0,
  present INTEGER NOT NULL DEFAULT 0,
  care TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX household_area ON household (area, village_group, door_number, door);

CREATE TABLE search (
  -- Derived: what a worker may type to find a household, by kind of key.
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  doc BLOB NOT NULL,
  place INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, key, doc)
) STRICT, WITHOUT ROWID;
CREATE INDEX search_doc ON search (doc);

CREATE TABLE id_hash (
  -- Derived: keyed hashes of id numbers, to know a person again without a digit.
  hash TEXT NOT NULL,
  doc BLOB NOT NULL,
  member TEXT NOT NULL,
  PRIMARY KEY (hash, doc, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX id_hash_doc ON id_hash (doc);

CREATE TABLE visit (
  -- Derived from visit books; an id is its writer's choice, so it names a visit within its book.
  id TEXT NOT NULL,
  book BLOB NOT NULL,
  household BLOB NOT NULL,
  happened_on TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  writer BLOB NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (id, book)
) STRICT;
CREATE INDEX visit_household ON visit (household, happened_on);
CREATE INDEX visit_day ON visit (happened_on);
CREATE INDEX visit_book ON visit (book);

CREATE TABLE report (
  -- Derived from report documents.
  doc BLOB NOT NULL PRIMARY KEY,
  happened_on TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  handled INTEGER NOT NULL,
  writer BLOB NOT NULL,
  content TEXT NOT NULL
) STRICT;
CREATE INDEX report_day ON report (happened_on);

CREATE TABLE ticket (
  -- Derived from ticket documents: the fold's result.
  doc BLOB NOT NULL PRIMARY KEY,
  code TEXT NOT NULL,
  status TEXT NOT NULL,
  contested INTEGER NOT NULL,
  parked INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  writer BLOB NOT NULL,
  content TEXT NOT NULL
) STRICT;
CREATE INDEX ticket_code ON ticket (code);
CREATE INDEX ticket_status ON ticket (status);

CREATE TABLE conflict (
  -- Derived: registers with more than one value, until someone settles them.
  doc BLOB NOT NULL,
  container TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (doc, container, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE imported (
  -- What a roster last said of a register: a sheet that still says it brings no news, and must not
  -- undo what a person has written since.
  doc BLOB NOT NULL,
  container TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (doc, container, key)
) STRICT, WITHOUT ROWID;
