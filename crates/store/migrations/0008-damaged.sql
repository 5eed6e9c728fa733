-- What was damaged on the way is sent again: it stood here as refused for good.
UPDATE outbox SET state = 0 WHERE state = 3 AND reason = 'wrong_hash';
