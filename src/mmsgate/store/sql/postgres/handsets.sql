-- name: remember, many
INSERT INTO handset (number, name, connection, seen_at)
SELECT DISTINCT ON (p1) p1, p2, p3, p4
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS k(p1, p2, p3, p4, p5, n)
ORDER BY p1, p4 DESC
ON CONFLICT (number) DO UPDATE SET name = excluded.name, connection = excluded.connection, seen_at = excluded.seen_at
WHERE excluded.seen_at >= handset.seen_at + ($5::bigint[])[1]
    OR (excluded.seen_at >= handset.seen_at AND excluded.name <> handset.name)
RETURNING 1
