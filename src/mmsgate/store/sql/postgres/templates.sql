-- Many send the same template at once: its row is written once a minute, and else looked at by a statement of its own, which
-- sees a deletion that this one waited for.
-- name: sent
UPDATE template SET last_sent_at = $1::bigint
WHERE id = $2 AND deleted_at IS NULL AND coalesce(last_sent_at, 0) < $1::bigint - 60000

-- name: sent, many
WITH k AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS k(p1, p2, n)
), touched AS (
    UPDATE template SET last_sent_at = newest.at FROM (SELECT p2, max(p1) AS at FROM k GROUP BY p2) AS newest
    WHERE id = newest.p2 AND deleted_at IS NULL AND coalesce(last_sent_at, 0) < newest.at - 60000
    RETURNING id
)
SELECT k.n FROM k JOIN touched ON touched.id = k.p2
