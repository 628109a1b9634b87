-- name: find_carrier_id
SELECT part, verbatim, {message} FROM carrier_id JOIN message ON message.id = message_id
WHERE carrier_id.connection = ? AND normalised = ?

-- name: find_carrier_id_of
SELECT part, verbatim, {message} FROM carrier_id JOIN message ON message.id = message_id
WHERE carrier_id.connection = ? AND normalised = ? AND recipient = ?

-- The states are those of the partial index `message_waiting`, in its words: without them every message would be read.
-- name: find_by_recipient
SELECT {message} FROM message
WHERE recipient = ?1 AND ?2 IN ('', sender) AND connection = ?3 AND accepted_at <= ?4
  AND state IN ('sent', 'submitting', 'unknown', 'sms-unknown') AND state <> 'sms-unknown'
LIMIT 100

-- name: orphans_about
SELECT id, connection, report, received_at, matched FROM orphan
WHERE connection = ? AND recipient = ? AND matched IS NULL AND recipient <> '' AND received_at >= ? ORDER BY id LIMIT 100

-- name: insert_doubt
INSERT INTO doubt (connection, recipient, message_id, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: find_doubted
SELECT {message} FROM doubt JOIN message ON message.id = message_id
WHERE doubt.connection = ?3 AND doubt.recipient = ?1 AND ?2 IN ('', sender) AND accepted_at <= ?4 LIMIT 2

-- name: forget_doubts
DELETE FROM doubt WHERE since < ?

-- name: find_doubtful_part
SELECT sms_part.number, {message} FROM message CROSS JOIN sms_part ON sms_part.message_id = message.id
WHERE recipient = ?1 AND ?2 IN ('', sender, sender_mask) AND connection = ?3 AND accepted_at <= ?4
  AND message.state IN ('sent', 'submitting', 'unknown', 'sms-unknown') AND message.state = 'sms-unknown'
  AND sms_part.state = 'unknown'
LIMIT 2

-- name: known_elsewhere
SELECT connection, verbatim FROM carrier_id WHERE normalised = ? AND connection IN (SELECT value FROM json_each(?)) LIMIT 3

-- Also those that are newer than the report, or of another sender: a person should see them.
-- name: waiting_for
SELECT tracking_id, sender, connection, state, accepted_at, carrier_message_id FROM message
WHERE recipient = ? AND state IN ('sent', 'submitting', 'unknown', 'sms-unknown')
ORDER BY id DESC LIMIT 10

-- name: insert_orphan
INSERT INTO orphan (connection, normalised, recipient, report, received_at) VALUES (?, ?, ?, ?, ?)

-- None that came before the message was accepted: carriers use their ids again.
-- name: orphans_for
SELECT id, connection, report, received_at, matched FROM orphan
WHERE connection = ? AND normalised = ? AND matched IS NULL AND received_at >= ? ORDER BY id

-- name: orphans_open
SELECT id, connection, report, received_at, matched FROM orphan
WHERE matched IS NULL AND received_at >= ? AND id > ? ORDER BY id LIMIT ?

-- name: orphans_newest
SELECT id, connection, report, received_at, matched FROM orphan WHERE matched IS NULL ORDER BY id DESC LIMIT ?

-- name: orphan
SELECT id, connection, report, received_at, matched FROM orphan WHERE id = ?

-- name: count_orphans
SELECT count(*) FROM orphan WHERE matched IS NULL

-- name: delete_matched_orphans
DELETE FROM orphan WHERE received_at < ? AND matched IS NOT NULL

-- name: match_orphan
UPDATE orphan SET matched = ? WHERE id = ? AND matched IS NULL
