-- name: insert
INSERT INTO postback (message_id, sequence, account_id, receiver, url, code, content_type, body, event_at, state,
    due_at, attempts, last_error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, 0, '')

-- name: receivers
SELECT DISTINCT receiver FROM postback WHERE state = 'pending' AND due_at <= ?

-- name: next_due
SELECT due_at FROM postback AS mine
WHERE receiver = ? AND state = 'pending'
  AND NOT EXISTS (
      SELECT 1 FROM postback AS earlier
      WHERE earlier.message_id = mine.message_id AND earlier.sequence < mine.sequence AND earlier.state = 'pending'
  )
ORDER BY due_at LIMIT 1

-- name: next_due_unordered
SELECT due_at FROM postback WHERE receiver = ? AND state = 'pending' ORDER BY due_at LIMIT 1

-- name: claim
UPDATE postback SET due_at = ?, leased_by = ?
WHERE id IN (
    SELECT id FROM postback AS mine
    WHERE receiver = ? AND state = 'pending' AND due_at <= ?
      AND NOT EXISTS (
          SELECT 1 FROM postback AS earlier
          WHERE earlier.message_id = mine.message_id AND earlier.sequence < mine.sequence
            AND earlier.state = 'pending'
      )
    ORDER BY due_at LIMIT ?
)
RETURNING id, message_id, sequence, account_id, receiver, url, code, content_type, body, event_at, attempts

-- name: claim_unordered
UPDATE postback SET due_at = ?, leased_by = ?
WHERE id IN (
    SELECT id FROM postback WHERE receiver = ? AND state = 'pending' AND due_at <= ? ORDER BY due_at LIMIT ?
)
RETURNING id, message_id, sequence, account_id, receiver, url, code, content_type, body, event_at, attempts

-- name: done
UPDATE postback SET state = 'done', due_at = NULL, leased_by = NULL, attempts = ?, last_error = '', ended_at = ?
WHERE id = ?

-- name: retry
UPDATE postback SET due_at = ?, leased_by = NULL, attempts = ?, last_error = ? WHERE id = ?

-- name: park
UPDATE postback SET state = 'parked', due_at = NULL, leased_by = NULL, attempts = ?, last_error = ?, ended_at = ?
WHERE id = ?

-- name: recover
UPDATE postback SET due_at = ?, leased_by = NULL WHERE leased_by IS NOT NULL AND state = 'pending'

-- name: replay
UPDATE postback SET state = 'pending', due_at = ?, attempts = 0, ended_at = NULL
WHERE message_id = ? AND state IN ('done', 'parked')

-- name: of_message
SELECT sequence, code, state, attempts, last_error, due_at, ended_at, url FROM postback
WHERE message_id = ? ORDER BY sequence

-- name: counts
SELECT state, count(*) FROM postback GROUP BY state
