-- Without an id (which STOP never has here) only the phone's last message can be repeated: whoever writes STOP, START and
-- STOP means the second one.
-- name: repeated
SELECT tracking_id FROM inbound
WHERE connection = ?1 AND sender = ?2 AND digest = ?3 AND received_at >= ?4 AND (?5 <> '' OR NOT EXISTS (
    SELECT 1 FROM inbound AS later
    WHERE later.connection = ?1 AND later.sender = ?2 AND later.recipient = ?6 AND later.id > inbound.id
))
LIMIT 1

-- name: insert
INSERT INTO inbound ({inbound}, digest) VALUES
    (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: adopt
UPDATE inbound SET account_id = ?, recipient = ?, keyword = ?, intent = ?, reply = ?, note = ?
WHERE id = ? AND account_id IS NULL

-- name: assign
UPDATE inbound SET recipient = ? WHERE id = ? AND account_id IS NULL

-- name: answer
UPDATE inbound SET reply = ? WHERE id = ?

-- name: insert_file
INSERT INTO inbound_file (inbound_id, {file}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: files
SELECT {file} FROM inbound_file WHERE inbound_id = ? ORDER BY number

-- name: by_tracking
SELECT {inbound} FROM inbound WHERE tracking_id = ?

-- name: by_token
SELECT {inbound} FROM inbound WHERE token = ?

-- name: newest
SELECT {inbound} FROM inbound WHERE id < ? ORDER BY id DESC LIMIT ?

-- name: claimable
SELECT {inbound} FROM inbound
WHERE account_id IS NULL AND id > ? AND recipient IN (SELECT number FROM sender) ORDER BY id LIMIT ?

-- name: count_homeless
SELECT count(*) FROM inbound WHERE account_id IS NULL

-- name: expired
SELECT id FROM inbound WHERE expires_at <= ? LIMIT 500

-- name: delete_files
DELETE FROM inbound_file WHERE inbound_id = ?

-- name: delete_postbacks
DELETE FROM postback WHERE message_id = ?

-- name: delete
DELETE FROM inbound WHERE id = ?

-- name: parts
SELECT number, text, payload, data_coding, joined, received_at FROM inbound_part
WHERE connection = ? AND sender = ? AND recipient = ? AND reference = ? AND total = ? ORDER BY number

-- name: insert_part
INSERT INTO inbound_part (connection, sender, recipient, reference, total, number, text, payload, data_coding, received_at,
    joined)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)

-- name: join_parts
UPDATE inbound_part SET joined = 1
WHERE connection = ? AND sender = ? AND recipient = ? AND reference = ? AND total = ?

-- name: delete_parts
DELETE FROM inbound_part WHERE connection = ? AND sender = ? AND recipient = ? AND reference = ? AND total = ?

-- name: stale_sets
SELECT connection, sender, recipient, reference, total FROM inbound_part
WHERE joined = 0 GROUP BY connection, sender, recipient, reference, total HAVING max(received_at) < ? LIMIT 100

-- name: forget_parts
DELETE FROM inbound_part
WHERE joined = 1 AND received_at < ?1 AND NOT EXISTS (
    SELECT 1 FROM inbound_part AS later
    WHERE later.connection = inbound_part.connection AND later.sender = inbound_part.sender
    AND later.recipient = inbound_part.recipient AND later.reference = inbound_part.reference
    AND later.total = inbound_part.total AND later.received_at >= ?1
)
