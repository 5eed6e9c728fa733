-- Each sync asks for the decisions that concern its device.
CREATE INDEX settlement_by_author ON settlement (author);
CREATE INDEX settlement_by_device ON settlement (device);
