-- PostgreSQL only. Times are the database's.

-- name: others
SELECT thing, node, weight, units FROM share
WHERE node <> ? AND held_until > (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- name: give_back
DELETE FROM share WHERE node = ?

-- name: hold
INSERT INTO share (thing, node, weight, units, held_until)
VALUES (?, ?, ?, ?, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + ?)
