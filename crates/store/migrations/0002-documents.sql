-- Taken back by its author: kept, shown only when asked for, counted nowhere.
ALTER TABLE visit ADD COLUMN void INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN void INTEGER NOT NULL DEFAULT 0;

CREATE TABLE alias_edge (
  -- Derived: a household document and one it says it is the same family as.
  doc BLOB NOT NULL,
  other BLOB NOT NULL,
  PRIMARY KEY (doc, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_edge_other ON alias_edge (other);

CREATE TABLE alias (
  -- Derived: households that another one stands for; they have no row in household and search.
  doc BLOB NOT NULL PRIMARY KEY,
  survivor BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_survivor ON alias (survivor);

CREATE TABLE late (
  -- Derived: registers of survivors for which an alias has a value nobody has looked at.
  doc BLOB NOT NULL,
  container TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (doc, container, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE told_apart (
  -- Derived: households of which a person said that they are two families.
  doc BLOB NOT NULL,
  other BLOB NOT NULL,
  PRIMARY KEY (doc, other)
) STRICT, WITHOUT ROWID;

CREATE TABLE round (
  -- Derived from round books; an id is its writer's choice, so it names a round within its book.
  id TEXT NOT NULL,
  book BLOB NOT NULL,
  area TEXT NOT NULL,
  happened_on TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  writer BLOB NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (id, book)
) STRICT;
CREATE INDEX round_day ON round (happened_on);
CREATE INDEX round_book ON round (book);

CREATE TABLE sheet (
  -- Today's sheet as it was printed: what number a household has on paper, and the visit that was
  -- entered for it. A number is never given to another household of the same day.
  day TEXT NOT NULL,
  number INTEGER NOT NULL,
  household BLOB NOT NULL,
  reason TEXT NOT NULL,
  visit TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (day, number),
  UNIQUE (day, household)
) STRICT;
-- What lists of tickets choose and sort by: who handles it (several with spaces, where contested),
-- who owes the answer, until when. All of it is what the fold says.
ALTER TABLE ticket ADD COLUMN handlers TEXT NOT NULL DEFAULT '';
ALTER TABLE ticket ADD COLUMN answer_owner TEXT NOT NULL DEFAULT '';
ALTER TABLE ticket ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN due INTEGER NOT NULL DEFAULT 0;

CREATE TABLE ticket_report (
  -- Derived from ticket documents: the reports a ticket came from.
  report BLOB NOT NULL,
  ticket BLOB NOT NULL,
  PRIMARY KEY (report, ticket)
) STRICT, WITHOUT ROWID;

CREATE TABLE care (
  -- Derived: members who live in a household and are looked in on, ended tags too: what holds
  -- depends on the day.
  doc BLOB NOT NULL,
  member TEXT NOT NULL,
  tag TEXT NOT NULL,
  name TEXT NOT NULL,
  birth TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  every TEXT NOT NULL,
  PRIMARY KEY (doc, member, tag)
) STRICT, WITHOUT ROWID;

-- Whether somebody was met, whether all was as before, and when to come back.
ALTER TABLE visit ADD COLUMN counts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE visit ADD COLUMN same INTEGER NOT NULL DEFAULT 0;
ALTER TABLE visit ADD COLUMN next_on TEXT NOT NULL DEFAULT '';
CREATE INDEX visit_met ON visit (household, counts, happened_on) WHERE void = 0;
CREATE INDEX visit_next ON visit (household, happened_on, next_on) WHERE next_on <> '' AND void = 0;

-- What the cursor says of covers: the day and the last order when reading began; 0 for none.
ALTER TABLE relay ADD COLUMN covers_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relay ADD COLUMN covers_orders INTEGER NOT NULL DEFAULT 0;

CREATE TABLE deed (
  -- What this device wrote, action by action, so that the last one can be taken back. state: 0 done,
  -- 1 taken back, 2 itself a taking back.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  action BLOB NOT NULL,
  doc BLOB NOT NULL,
  hash BLOB NOT NULL,
  at_ms INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX deed_action ON deed (action);
CREATE INDEX deed_done ON deed (id) WHERE state = 0;
