-- name: get
SELECT operator, mms, source, learnt_at, expires_at FROM number WHERE number = ? AND expires_at > ?

-- name: learn
INSERT INTO number (number, operator, mms, source, learnt_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET
    operator = excluded.operator, mms = excluded.mms, source = excluded.source, learnt_at = excluded.learnt_at,
    expires_at = excluded.expires_at

-- name: forget
DELETE FROM number WHERE number = ?

-- name: forget_unknown
DELETE FROM number WHERE operator = ''

-- name: expire
DELETE FROM number WHERE number IN (SELECT number FROM number WHERE expires_at <= ? LIMIT ?)

-- name: count
SELECT count(*) FROM number

-- Every beginning of the number, up to fifteen digits.
-- name: prefix
SELECT prefix, operator FROM prefix WHERE prefix IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ORDER BY length(prefix) DESC LIMIT 1

-- name: has_prefixes
SELECT EXISTS (SELECT 1 FROM prefix)

-- name: clear_prefixes
DELETE FROM prefix

-- name: insert_prefix
INSERT INTO prefix (prefix, operator) VALUES (?, ?)

-- name: prefix_counts
SELECT operator, count(*) FROM prefix GROUP BY operator
