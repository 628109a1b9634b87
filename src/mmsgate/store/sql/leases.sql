-- PostgreSQL only: the queue of many workers. A claim moves `due_at` to the end of the lease.

-- name: claim
WITH due AS (
    SELECT id AS due_id, due_at AS was_due FROM message
    WHERE connection = ?1 AND account_id = ?2 AND sender = ?3 AND state IN ('accepted', 'fallback')
      AND due_at >= ?4 AND due_at <= ?5
    ORDER BY due_at, id LIMIT ?8 FOR UPDATE SKIP LOCKED
)
UPDATE message SET due_at = ?6, leased_by = ?7 FROM due WHERE id = due_id RETURNING was_due, {message}

-- name: claim_overdue
WITH due AS (
    SELECT id AS due_id, due_at AS was_due FROM message
    WHERE connection = ?1 AND state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL AND due_at <= ?2
    ORDER BY due_at LIMIT ?5 FOR UPDATE SKIP LOCKED
)
UPDATE message SET due_at = ?3, leased_by = ?4 FROM due WHERE id = due_id RETURNING was_due, {message}

-- name: give_back
UPDATE message SET due_at = ?1, leased_by = NULL WHERE id = ?2 AND leased_by = ?3

-- name: give_all_back
UPDATE message SET due_at = ?1, leased_by = NULL WHERE leased_by = ?2 AND state IN ('accepted', 'fallback')
