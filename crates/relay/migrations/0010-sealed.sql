-- Whether a body is sealed with its document's key, which lies in another database (keys.db). Bodies from
-- before are sealed when a relay of this version first opens them.
ALTER TABLE entry ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE parked ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entry_unsealed ON entry (position) WHERE sealed = 0 AND kind = 1;
CREATE INDEX parked_unsealed ON parked (id) WHERE sealed = 0 AND kind = 1;
