-- MMS whose outcome was unknown once (R-19). A report that names an id nobody has learnt, because the answer with it was
-- lost, may mean one of these, also when it is final by now.
CREATE TABLE doubt (
    connection TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    PRIMARY KEY (connection, recipient, message_id)
) WITHOUT ROWID;
CREATE INDEX doubt_age ON doubt (since);

-- Whom it is about: a report that came before its message was known to be in doubt is tried again when it is.
ALTER TABLE orphan ADD COLUMN recipient TEXT NOT NULL DEFAULT '';
CREATE INDEX orphan_recipient ON orphan (connection, recipient) WHERE matched IS NULL AND recipient <> '';
