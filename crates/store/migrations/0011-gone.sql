-- Whether a household that went was one that lists showed: what its own people had taken back, or merged
-- into another, is counted with nothing that was handed over.
ALTER TABLE gone ADD COLUMN shown INTEGER NOT NULL DEFAULT 1;
