-- Release 0.1.0. Times are milliseconds since 1970-01-01 UTC, numbers of people are E.164 digits.

-- Goes up with every change of accounts, numbers, blocks and carriers: a running gateway watches it.
CREATE TABLE revision (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    value INTEGER NOT NULL
);
INSERT INTO revision VALUES (1, 1);

CREATE TABLE account (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    settings   TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE api_key (
    hash       TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id),
    label      TEXT NOT NULL,
    hint       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) WITHOUT ROWID;

CREATE TABLE sender (
    account_id INTEGER NOT NULL REFERENCES account (id),
    number     TEXT NOT NULL,
    type       TEXT NOT NULL,
    services   TEXT NOT NULL,
    PRIMARY KEY (account_id, number)
) WITHOUT ROWID;

-- `number` may hold *, `sender` '' means every sender of the account.
CREATE TABLE block (
    account_id INTEGER NOT NULL REFERENCES account (id),
    number     TEXT NOT NULL,
    sender     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, number, sender)
) WITHOUT ROWID;

CREATE TABLE carrier (
    name    TEXT PRIMARY KEY,
    profile TEXT NOT NULL
) WITHOUT ROWID;

-- What is shown. `id` is the mms-id; many messages may share one content.
CREATE TABLE content (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    name       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    slides     TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

-- Which content needs which blob; a blob that nothing needs may be deleted.
CREATE TABLE content_blob (
    blob       TEXT NOT NULL,
    content_id INTEGER NOT NULL,
    PRIMARY KEY (blob, content_id)
) WITHOUT ROWID;

-- The message row is the queue entry: it is due at `due_at`, and a claim moves that to the end of its lease.
CREATE TABLE message (
    id                 INTEGER PRIMARY KEY,
    tracking_id        TEXT NOT NULL,
    account_id         INTEGER NOT NULL,
    mms_id             INTEGER NOT NULL,
    dialect            TEXT NOT NULL,
    sender             TEXT NOT NULL,
    sender_type        TEXT NOT NULL,
    sender_mask        TEXT NOT NULL,
    recipient          TEXT NOT NULL,
    operator           TEXT NOT NULL,
    service_id         TEXT NOT NULL,
    fallback_enabled   INTEGER NOT NULL,
    fallback_text      TEXT NOT NULL,
    fallback_link      INTEGER NOT NULL,
    fallback_token     TEXT NOT NULL,
    fallback_expires   INTEGER NOT NULL,
    accepted_at        INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    -- what changes
    connection         TEXT NOT NULL,
    state              TEXT NOT NULL,
    sent_as            TEXT NOT NULL,
    due_at             INTEGER,
    leased_by          TEXT,
    attempts           INTEGER NOT NULL,
    carrier_message_id TEXT NOT NULL,
    handset            TEXT NOT NULL,
    details            TEXT NOT NULL,
    told               INTEGER NOT NULL,
    postbacks          INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
);
CREATE INDEX message_due ON message (connection, due_at) WHERE due_at IS NOT NULL;
-- For a report that names only the recipient (R-38).
CREATE INDEX message_waiting ON message (recipient, sender) WHERE state IN ('sent', 'submitting', 'unknown', 'sms-unknown');

-- What must be unique for ever, or is looked for without a date, has its own small table.
CREATE TABLE tracking (
    tracking_id TEXT PRIMARY KEY,
    message_id  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE page (
    token      TEXT PRIMARY KEY,
    message_id INTEGER NOT NULL,
    mms_id     INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE idempotency (
    account_id INTEGER NOT NULL,
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,
    response   BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

-- (carrier, MessageID): `normalised` is lower case without leading zeros. `part` is the SMS part, 0 for an MMS.
CREATE TABLE carrier_id (
    connection TEXT NOT NULL,
    normalised TEXT NOT NULL,
    verbatim   TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    part       INTEGER NOT NULL,
    PRIMARY KEY (connection, normalised, verbatim)
) WITHOUT ROWID;

CREATE TABLE event (
    id         INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    happening  TEXT,
    state      TEXT NOT NULL,
    changed    INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    data       TEXT NOT NULL
);
CREATE INDEX event_message ON event (message_id);

CREATE TABLE sms_part (
    message_id INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    state      TEXT NOT NULL,
    smsc_id    TEXT NOT NULL,
    error      TEXT NOT NULL,
    PRIMARY KEY (message_id, number)
) WITHOUT ROWID;

-- Postbacks are rendered once. `receiver` is the lane: one receiver's outage delays no other.
CREATE TABLE postback (
    id           INTEGER PRIMARY KEY,
    message_id   INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    account_id   INTEGER NOT NULL,
    receiver     TEXT NOT NULL,
    url          TEXT NOT NULL,
    code         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    body         BLOB NOT NULL,
    event_at     INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'done', 'parked')),
    due_at       INTEGER,
    leased_by    TEXT,
    attempts     INTEGER NOT NULL,
    last_error   TEXT NOT NULL,
    ended_at     INTEGER
);
CREATE INDEX postback_due ON postback (receiver, due_at) WHERE state = 'pending' AND due_at IS NOT NULL;
CREATE UNIQUE INDEX postback_order ON postback (message_id, sequence);

-- Reports that match no message yet (R-21).
CREATE TABLE orphan (
    id          INTEGER PRIMARY KEY,
    connection  TEXT NOT NULL,
    normalised  TEXT NOT NULL,
    report      TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    matched     INTEGER
);
CREATE INDEX orphan_open ON orphan (connection, normalised) WHERE matched IS NULL;
CREATE INDEX orphan_age ON orphan (received_at);

CREATE TABLE fetch_cache (
    url           TEXT PRIMARY KEY,
    blob          TEXT NOT NULL,
    mime          TEXT NOT NULL,
    size          INTEGER NOT NULL,
    width         INTEGER NOT NULL,
    height        INTEGER NOT NULL,
    etag          TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    fresh_until   INTEGER NOT NULL,
    fetched_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX fetch_cache_age ON fetch_cache (fetched_at);

CREATE TABLE upload (
    token      TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    blob       TEXT NOT NULL,
    mime       TEXT NOT NULL,
    size       INTEGER NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Calls of an account on a UTC day (E120).
CREATE TABLE usage (
    account_id INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    calls      INTEGER NOT NULL,
    PRIMARY KEY (account_id, day)
) WITHOUT ROWID;

-- What an operator must look at. One open row per subject.
CREATE TABLE alarm (
    id         INTEGER PRIMARY KEY,
    subject    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    raised_at  INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    times      INTEGER NOT NULL,
    cleared_at INTEGER
);
CREATE UNIQUE INDEX alarm_open ON alarm (subject) WHERE cleared_at IS NULL;
