-- After a merge of two registrations of one family: the household this one is an alias of.
ALTER TABLE household ADD COLUMN alias_of BLOB;

-- Taken back by its author: kept, shown only when asked for, counted nowhere.
ALTER TABLE visit ADD COLUMN void INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN void INTEGER NOT NULL DEFAULT 0;

-- What the cursor says of covers: the day and the last order when reading began; 0 for none.
ALTER TABLE relay ADD COLUMN covers_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relay ADD COLUMN covers_orders INTEGER NOT NULL DEFAULT 0;
