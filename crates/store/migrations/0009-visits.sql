-- A visit's id is random, and every index that begins with one costs a first download as much as the
-- row itself. What was the key of the table is a narrow index now, and one index of a household's visits
-- serves all questions about its days.
ALTER TABLE visit RENAME TO visit_before;
CREATE TABLE visit (
  -- Derived from visit books; an id is its writer's choice, so it names a visit within its book.
  id TEXT NOT NULL,
  book BLOB NOT NULL,
  household BLOB NOT NULL,
  happened_on TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  writer BLOB NOT NULL,
  void INTEGER NOT NULL DEFAULT 0,
  counts INTEGER NOT NULL DEFAULT 0,
  same INTEGER NOT NULL DEFAULT 0,
  next_on TEXT NOT NULL DEFAULT '',
  content TEXT NOT NULL
) STRICT;
INSERT INTO visit (id, book, household, happened_on, at_ms, writer, void, counts, same, next_on, content)
  SELECT id, book, household, happened_on, at_ms, writer, void, counts, same, next_on, content
  FROM visit_before ORDER BY book, id;
DROP TABLE visit_before;
CREATE INDEX visit_id ON visit (id);
CREATE INDEX visit_book ON visit (book);
CREATE INDEX visit_day ON visit (happened_on) WHERE void = 0;
CREATE INDEX visit_household ON visit (household, happened_on, counts) WHERE void = 0;
CREATE INDEX visit_next ON visit (household, happened_on, next_on) WHERE next_on <> '' AND void = 0;
