-- Release 0.2.0: renditions (versions of a content for certain terms), and the work that makes them.

-- Sound and video that wait to be transcoded, or are. A claim moves `due_at` to the end of its lease, and the first one
-- sets the deadline. `key` is that of the terms; a new template's, without terms, is for all carriers in use.
CREATE TABLE preparation (
    content_id INTEGER NOT NULL,
    key        TEXT NOT NULL,
    terms      TEXT,
    account_id INTEGER NOT NULL,
    dialect    TEXT NOT NULL,
    due_at     INTEGER NOT NULL,
    leased_by  TEXT,
    attempts   INTEGER NOT NULL,
    deadline   INTEGER,
    PRIMARY KEY (content_id, key)
) WITHOUT ROWID;
CREATE INDEX preparation_due ON preparation (due_at);

-- What was made of a content: its slides, or why none suits. Their files are in content_blob too.
CREATE TABLE rendition (
    content_id INTEGER NOT NULL,
    terms      TEXT NOT NULL,
    slides     TEXT,
    notes      TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    PRIMARY KEY (content_id, terms)
) WITHOUT ROWID;

-- A template's content part as one carrier's dialect writes it. `terms` is empty for the content as it is.
CREATE TABLE encoded (
    content_id        INTEGER NOT NULL,
    terms             TEXT NOT NULL,
    dialect           TEXT NOT NULL,
    blob              TEXT NOT NULL,
    boundary          TEXT NOT NULL,
    href              TEXT NOT NULL,
    decoded_size      INTEGER NOT NULL,
    allow_adaptations INTEGER NOT NULL,
    PRIMARY KEY (content_id, terms, dialect)
) WITHOUT ROWID;

-- After a refusal for size: the most bytes that the next version may have.
ALTER TABLE message ADD COLUMN size_cap INTEGER NOT NULL DEFAULT 0;

-- Why a template that is dead can't be sent.
ALTER TABLE template ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- The key of the preparation that a message in `preparing` waits for.
ALTER TABLE message ADD COLUMN awaits TEXT NOT NULL DEFAULT '';
CREATE INDEX message_preparing ON message (mms_id, awaits) WHERE state = 'preparing';
