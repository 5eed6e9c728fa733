-- Rows of search are found by their keys alone: an index by document cost as much as the rows, in every
-- first download. What a document's rows are is written down once instead. All of it is made anew.
DROP INDEX search_doc;
DELETE FROM search;
CREATE TABLE search_of (
  -- Derived: the keys of a document's rows in search, as JSON: [[kind, key], ...].
  doc BLOB NOT NULL PRIMARY KEY,
  keys TEXT NOT NULL
) STRICT, WITHOUT ROWID;
