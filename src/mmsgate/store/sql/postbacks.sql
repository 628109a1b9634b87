-- One that has to wait for an earlier one of its message is due at no time, until that one has ended (R-09).
-- Not INSERT … SELECT: as that reads the table it writes to, SQLite would put the row into a temporary table first.
-- name: insert
INSERT INTO postback (message_id, sequence, account_id, receiver, url, code, content_type, body, event_at, state,
    due_at, attempts, last_error)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending',
    CASE WHEN ?10 = 1 AND EXISTS (SELECT 1 FROM postback WHERE message_id = ?1 AND state = 'pending') THEN NULL ELSE CAST(?9 AS BIGINT) END,
    0, '')

-- name: receivers
SELECT DISTINCT receiver FROM postback WHERE state = 'pending' AND due_at <= ?

-- name: next_due
SELECT min(due_at) FROM postback WHERE receiver = ? AND state = 'pending' AND due_at IS NOT NULL

-- name: claim
UPDATE postback SET due_at = ?, leased_by = ?
WHERE id IN (
    SELECT id FROM postback WHERE receiver = ? AND state = 'pending' AND due_at <= ? ORDER BY due_at LIMIT ?
)
RETURNING id, message_id, sequence, account_id, receiver, url, code, content_type, body, event_at, attempts,
    (SELECT tracking_id FROM message WHERE message.id = postback.message_id)

-- name: free_next
UPDATE postback SET due_at = ?1
WHERE id = (
    SELECT id FROM postback
    WHERE message_id = (SELECT message_id FROM postback WHERE id = ?2) AND state = 'pending' ORDER BY sequence LIMIT 1
) AND due_at IS NULL

-- name: done
UPDATE postback SET state = 'done', due_at = NULL, leased_by = NULL, attempts = ?, last_error = '', ended_at = ?
WHERE id = ?

-- name: retry
UPDATE postback SET due_at = ?, leased_by = NULL, attempts = ?, last_error = ? WHERE id = ? AND state = 'pending'

-- name: park
UPDATE postback SET state = 'parked', due_at = NULL, leased_by = NULL, attempts = ?, last_error = ?, ended_at = ?
WHERE id = ? AND state = 'pending'

-- name: recover
UPDATE postback SET due_at = ?, leased_by = NULL WHERE leased_by IS NOT NULL AND state = 'pending'

-- name: replay
UPDATE postback SET state = 'pending', attempts = 0, ended_at = NULL,
    due_at = CASE sequence
        WHEN (SELECT min(sequence) FROM postback WHERE message_id = ?2) THEN CAST(?1 AS BIGINT)
    END
WHERE message_id = ?2 AND state IN ('done', 'parked')

-- name: of_message
SELECT sequence, code, state, attempts, last_error, due_at, ended_at, url FROM postback
WHERE message_id = ? ORDER BY sequence

-- name: counts
SELECT state, count(*) FROM postback GROUP BY state

-- name: free_forgotten
UPDATE postback SET due_at = ?1
WHERE due_at IS NULL AND state = 'pending' AND (id, message_id) IN (
    SELECT id, message_id FROM postback AS blocked
    WHERE state = 'pending' AND due_at IS NULL AND event_at >= ?2 AND NOT EXISTS (
        SELECT 1 FROM postback AS earlier
        WHERE earlier.message_id = blocked.message_id AND earlier.state = 'pending'
          AND earlier.sequence < blocked.sequence
    ) LIMIT 1000
)
