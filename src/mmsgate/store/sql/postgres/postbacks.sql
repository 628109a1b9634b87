-- name: claim
UPDATE postback SET due_at = $1, leased_by = $2
WHERE (id, message_id) IN (
    SELECT id, message_id FROM postback WHERE receiver = $3 AND state = 'pending' AND due_at <= $4
    ORDER BY due_at LIMIT $5 FOR UPDATE SKIP LOCKED
)
RETURNING id, message_id, sequence, account_id, receiver, url, code, content_type, body, event_at, attempts,
    (SELECT tracking_id FROM message WHERE message.id = postback.message_id)

-- name: insert, many
INSERT INTO postback (message_id, sequence, account_id, receiver, url, code, content_type, body, event_at, state,
    due_at, attempts, last_error)
SELECT p1, p2, p3, p4, p5, p6, p7, p8, p9, 'pending',
    CASE WHEN p10 = 1 AND EXISTS (SELECT 1 FROM postback WHERE message_id = p1 AND state = 'pending') THEN NULL ELSE p9 END,
    0, ''
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bigint[],
    $10::bigint[]
) WITH ORDINALITY AS k(p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, n)
ORDER BY n
RETURNING 1

-- name: free_next, many
UPDATE postback SET due_at = p1
FROM (
    SELECT k.n, k.p1, next.id AS next_id, next.message_id AS next_message
    FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS k(p1, p2, n)
    JOIN postback AS ended ON ended.id = k.p2
    CROSS JOIN LATERAL (
        SELECT id, message_id, due_at FROM postback
        WHERE message_id = ended.message_id AND state = 'pending' ORDER BY sequence LIMIT 1
    ) AS next
    WHERE next.due_at IS NULL
) AS freed
WHERE postback.id = next_id AND postback.message_id = next_message AND due_at IS NULL
RETURNING freed.n

-- name: done, many
UPDATE postback SET state = 'done', due_at = NULL, leased_by = NULL, attempts = p1, last_error = '', ended_at = p2
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS k(p1, p2, p3, n)
WHERE id = p3
RETURNING n
