-- name: finish, many
UPDATE idempotency SET response = p1, expires_at = p2
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::text[]) WITH ORDINALITY AS k(p1, p2, p3, p4, n)
WHERE account_id = p3 AND key = p4
RETURNING n
