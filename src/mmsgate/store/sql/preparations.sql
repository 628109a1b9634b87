-- name: insert
INSERT INTO preparation (content_id, terms, account_id, dialect, due_at, attempts, deadline)
VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING

-- Every account has its turn, however much one of them has given us to do.
-- name: claim
UPDATE preparation SET due_at = ?1, leased_by = ?2
WHERE (content_id, terms) IN (
    SELECT content_id, terms FROM (
        SELECT content_id, terms, due_at, row_number() OVER (PARTITION BY account_id ORDER BY due_at) AS turn
        FROM preparation WHERE due_at <= ?3
    ) ORDER BY turn, due_at LIMIT ?4
)
RETURNING content_id, account_id, dialect, terms, deadline, attempts

-- name: next_due
SELECT min(due_at) FROM preparation

-- name: retry
UPDATE preparation SET due_at = ?, leased_by = NULL, attempts = ? WHERE content_id = ? AND terms = ?

-- name: release
UPDATE preparation SET due_at = ?, leased_by = NULL WHERE content_id = ? AND terms = ? AND leased_by = ?

-- name: recover
UPDATE preparation SET due_at = ?, leased_by = NULL WHERE leased_by IS NOT NULL

-- A message may have come to wait for it since one looked: then there is more to do.
-- name: finish
DELETE FROM preparation WHERE content_id = ?1 AND terms = ?2
  AND (?3 OR NOT EXISTS (SELECT 1 FROM message WHERE mms_id = ?1 AND state = 'preparing'))

-- name: waiting
SELECT {message} FROM message WHERE mms_id = ? AND state = 'preparing' ORDER BY id LIMIT 500

-- name: count
SELECT count(*) FROM preparation
