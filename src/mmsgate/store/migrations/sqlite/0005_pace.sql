-- Whose turn it is, and how much a sender may send.

-- What waits is found by its account and sender, which take turns; what has a timer or a lease by its time. A step
-- touches one of them where it touched an index over both.
DROP INDEX message_due;
CREATE INDEX message_queue ON message (connection, account_id, sender, due_at) WHERE state IN ('accepted', 'fallback');
CREATE INDEX message_timer ON message (connection, due_at) WHERE state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL;

-- Messages that a sender has given a connection on a UTC day (days since 1970-01-01).
CREATE TABLE sender_day (
    connection TEXT NOT NULL,
    sender     TEXT NOT NULL,
    day        INTEGER NOT NULL,
    messages   INTEGER NOT NULL,
    PRIMARY KEY (connection, sender, day)
) WITHOUT ROWID;
