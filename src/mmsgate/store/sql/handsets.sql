-- name: get
SELECT name, connection, seen_at FROM handset WHERE number = ? AND seen_at >= ?

-- name: remember
INSERT INTO handset (number, name, connection, seen_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (number) DO UPDATE SET name = excluded.name, connection = excluded.connection, seen_at = excluded.seen_at
WHERE excluded.seen_at >= handset.seen_at + ?5 OR (excluded.seen_at >= handset.seen_at AND excluded.name <> handset.name)

-- name: forget
DELETE FROM handset WHERE number IN (SELECT number FROM handset WHERE seen_at < ? LIMIT 10000)

-- name: count
SELECT count(*) FROM handset
