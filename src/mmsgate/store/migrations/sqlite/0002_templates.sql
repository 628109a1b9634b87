-- Release 0.2.0: templates (saveMMS, sendSavedMMS).

-- Its slides, name and subject are the content of the same id. A deleted template is a tombstone until nothing needs the
-- content any more: messages that were accepted are still sent, pages stay until they expire (R-24).
CREATE TABLE template (
    id                    INTEGER PRIMARY KEY,
    account_id            INTEGER NOT NULL,
    state                 TEXT NOT NULL CHECK (state IN ('preparing', 'ready', 'dead')),
    size                  INTEGER NOT NULL,
    fallback_text         TEXT,
    disable_fallback      INTEGER,
    disable_fallback_link INTEGER,
    created_at            INTEGER NOT NULL,
    last_sent_at          INTEGER,
    deleted_at            INTEGER
);
CREATE INDEX template_account ON template (account_id, created_at) WHERE deleted_at IS NULL;
CREATE INDEX template_deleted ON template (deleted_at) WHERE deleted_at IS NOT NULL;

-- What a message shows: the template's own content, or a personal one.
ALTER TABLE message ADD COLUMN content_id INTEGER NOT NULL DEFAULT 0;
UPDATE message SET content_id = mms_id;

-- Is a content still on a page that has not expired?
CREATE INDEX page_content ON page (mms_id, expires_at);
