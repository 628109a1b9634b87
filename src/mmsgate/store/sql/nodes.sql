-- PostgreSQL only: the programs that work on the database, by the database's clock.

-- name: now
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint

-- The smallest number that nobody has; two who take the same one at once meet at the primary key.
-- name: join
INSERT INTO node (number, name, role, host, started_at, seen_at)
SELECT free.number, ?1, ?2, ?3, now.at, now.at
FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at) AS now,
    (SELECT number FROM generate_series(0, 1023) AS number
     WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.number = number.number) ORDER BY number LIMIT 1) AS free
ON CONFLICT DO NOTHING
RETURNING number

-- name: beat
UPDATE node SET seen_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint WHERE name = ?

-- name: leave
DELETE FROM node WHERE name = ?

-- name: all
SELECT number, name, role, host, started_at, (extract(epoch FROM clock_timestamp()) * 1000)::bigint - seen_at FROM node ORDER BY number

-- name: bury
DELETE FROM node WHERE seen_at < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - ?1 AND name <> ?2 RETURNING name

-- What it had not begun is due. What it was submitting has no lease any more, but a timer, which runs out by itself.
-- name: free_messages
UPDATE message SET due_at = least(due_at, ?1), leased_by = NULL WHERE leased_by = ?2

-- name: free_postbacks
UPDATE postback SET due_at = ?1, leased_by = NULL WHERE leased_by = ?2 AND state = 'pending'

-- name: free_preparations
UPDATE preparation SET due_at = ?1, deadline = NULL, attempts = attempts + 1, leased_by = NULL WHERE leased_by = ?2
