-- After a merge of two registrations of one family: the household this one is an alias of.
ALTER TABLE household ADD COLUMN alias_of BLOB;

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
