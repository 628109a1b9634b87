-- Whose number it is: operators beside the built-in ones, prefixes of numbers, and what was learnt of single numbers.

CREATE TABLE operator (
    id      TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    country TEXT NOT NULL,
    spid    TEXT NOT NULL,
    aliases TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE prefix (
    prefix   TEXT PRIMARY KEY,
    operator TEXT NOT NULL
) WITHOUT ROWID;

-- The number cache. `operator` '' says that the lookup does not know it either.
CREATE TABLE number (
    number     TEXT PRIMARY KEY,
    operator   TEXT NOT NULL,
    mms        INTEGER NOT NULL,
    source     TEXT NOT NULL,
    learnt_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX number_expiry ON number (expires_at);
