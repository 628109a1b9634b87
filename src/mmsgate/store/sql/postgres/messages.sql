-- name: insert_content_blob, many
INSERT INTO content_blob (blob, content_id)
SELECT DISTINCT blob, content_id FROM unnest($1::text[], $2::bigint[]) AS k(blob, content_id)
ON CONFLICT DO NOTHING RETURNING 1

-- name: lock
SELECT {message} FROM message WHERE id = $1 FOR UPDATE

-- A step ends the lease.
-- name: update_message
UPDATE message SET ({mutable}, leased_by) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL)
WHERE id = $14 AND updated_at = $15

-- name: update_message, many
UPDATE message SET ({mutable}, leased_by) = (p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, NULL)
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bigint[],
    $10::bigint[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[]
) WITH ORDINALITY AS k(p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, n)
WHERE id = p14 AND updated_at = p15
RETURNING n

-- name: insert_carrier_id, many
INSERT INTO carrier_id (connection, normalised, verbatim, message_id, part)
SELECT DISTINCT ON (p1, p2, p3) p1, p2, p3, p4, p5
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS k(p1, p2, p3, p4, p5, n)
ORDER BY p1, p2, p3, n DESC
ON CONFLICT (connection, normalised, verbatim) DO UPDATE SET message_id = excluded.message_id, part = excluded.part
RETURNING 1
