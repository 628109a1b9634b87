-- What delivery reports say of phones (UACapabilities), and messages that go ahead of others to learn it.

CREATE TABLE handset (
    number     TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    connection TEXT NOT NULL,
    seen_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX handset_age ON handset (seen_at);

-- The message that waits for this one, a device discovery; 0: it is none.
ALTER TABLE message ADD COLUMN discovers INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_discovers ON message (discovers) WHERE discovers > 0;
