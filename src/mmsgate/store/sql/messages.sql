-- name: insert_content
INSERT INTO content (id, account_id, name, subject, slides, created_at) VALUES (?, ?, ?, ?, ?, ?)

-- name: insert_content_blob
INSERT INTO content_blob (blob, content_id) VALUES (?, ?) ON CONFLICT DO NOTHING

-- name: insert_message
INSERT INTO message ({message}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_tracking
INSERT INTO tracking (tracking_id, message_id) VALUES (?, ?)

-- name: insert_page
INSERT INTO page (token, message_id, mms_id, account_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)

-- name: insert_event
INSERT INTO event (message_id, at, happening, state, changed, reason, data) VALUES (?, ?, ?, ?, ?, ?, ?)

-- In a transaction: nobody else moves it meanwhile.
-- name: lock
SELECT {message} FROM message WHERE id = ?

-- name: message_by_tracking
SELECT {message} FROM message WHERE id = (SELECT message_id FROM tracking WHERE tracking_id = ?)

-- name: discovery_of
SELECT {message} FROM message WHERE discovers = ? AND discovers > 0

-- name: latest_message
SELECT {message} FROM message WHERE discovers = 0 ORDER BY id DESC LIMIT 1

-- Every step makes updated_at larger: it tells versions apart.
-- name: update_message
UPDATE message SET ({mutable}) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ? AND updated_at = ?

-- name: insert_carrier_id
INSERT INTO carrier_id (connection, normalised, verbatim, message_id, part) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (connection, normalised, verbatim) DO UPDATE SET message_id = excluded.message_id, part = excluded.part

-- name: sms_parts
SELECT number, state, smsc_id, error FROM sms_part WHERE message_id = ? ORDER BY number

-- name: upsert_sms_part
INSERT INTO sms_part (message_id, number, state, smsc_id, error) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (message_id, number) DO UPDATE SET
    state = excluded.state, smsc_id = excluded.smsc_id, error = excluded.error

-- name: content
SELECT id, account_id, name, subject, slides, created_at FROM content WHERE id = ?

-- name: events
SELECT at, happening, state, changed, reason, data FROM event WHERE message_id = ? ORDER BY id

-- name: page
SELECT message.content_id, message.mms_id, page.message_id, page.created_at, page.expires_at
FROM page JOIN message ON message.id = page.message_id WHERE token = ?

-- name: note_once
INSERT INTO event (message_id, at, happening, state, changed, reason, data)
SELECT message.id, ?, NULL, message.state, 0, ?, '{}' FROM message JOIN page ON page.message_id = message.id
WHERE page.token = ? AND NOT EXISTS (SELECT 1 FROM event WHERE message_id = message.id AND reason = ?)

-- name: states
SELECT state, count(*) FROM message GROUP BY state
