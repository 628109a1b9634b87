-- Release 0.2.0: what phones send us, and opt-outs.

-- An MMS or SMS from a phone. Its id is of the same kind as a message's, so that its postbacks are rows like any others.
-- `account_id` is NULL while nobody has the number. `digest` tells a repetition from another message under the same id.
CREATE TABLE inbound (
    id          INTEGER PRIMARY KEY,
    tracking_id TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL CHECK (kind IN ('mms', 'sms')),
    connection  TEXT NOT NULL,
    reference   TEXT NOT NULL,
    digest      TEXT NOT NULL,
    account_id  INTEGER,
    sender      TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    copy_to     TEXT NOT NULL,
    operator    TEXT NOT NULL,
    subject     TEXT NOT NULL,
    text        TEXT NOT NULL,
    keyword     TEXT NOT NULL,
    intent      TEXT,
    reply       TEXT NOT NULL,
    note        TEXT NOT NULL,
    token       TEXT NOT NULL,
    sent_at     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
);
CREATE INDEX inbound_repeated ON inbound (connection, sender, digest);
CREATE INDEX inbound_homeless ON inbound (id) WHERE account_id IS NULL;
CREATE INDEX inbound_expiry ON inbound (expires_at);
CREATE UNIQUE INDEX inbound_token ON inbound (token) WHERE token <> '';

CREATE TABLE inbound_file (
    inbound_id INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    extension  TEXT NOT NULL,
    mime       TEXT NOT NULL,
    blob       TEXT NOT NULL,
    size       INTEGER NOT NULL,
    attach     INTEGER NOT NULL,
    declared   TEXT NOT NULL,
    note       TEXT NOT NULL,
    PRIMARY KEY (inbound_id, number)
) WITHOUT ROWID;
CREATE INDEX inbound_file_blob ON inbound_file (blob);

-- Parts of SMS, until they are all there. They stay for a while after that: the SMSC may repeat one.
CREATE TABLE inbound_part (
    connection  TEXT NOT NULL,
    sender      TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    reference   INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    text        TEXT NOT NULL,
    payload     BLOB NOT NULL,
    data_coding INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    joined      INTEGER NOT NULL,
    PRIMARY KEY (connection, sender, recipient, reference, total, number)
) WITHOUT ROWID;
CREATE INDEX inbound_part_age ON inbound_part (received_at);

-- Who put an entry on a block list: an operator, a phone with STOP, or a carrier that refused for it (R-22).
ALTER TABLE block ADD COLUMN origin TEXT NOT NULL DEFAULT 'operator';
