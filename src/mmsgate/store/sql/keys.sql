-- name: begin
INSERT INTO idempotency (account_id, key, request, created_at, expires_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account_id, key) DO UPDATE SET
    request = excluded.request, response = NULL, created_at = excluded.created_at, expires_at = excluded.expires_at
    WHERE idempotency.expires_at <= excluded.created_at
RETURNING 1

-- name: kept
SELECT request, response FROM idempotency WHERE account_id = ? AND key = ?

-- name: finish
UPDATE idempotency SET response = ?, expires_at = ? WHERE account_id = ? AND key = ?

-- name: abandon
DELETE FROM idempotency WHERE account_id = ? AND key = ? AND response IS NULL

-- name: abandon_running
DELETE FROM idempotency WHERE response IS NULL

-- name: expire
DELETE FROM idempotency WHERE (account_id, key) IN (
    SELECT account_id, key FROM idempotency WHERE expires_at <= ? LIMIT 10000
)
