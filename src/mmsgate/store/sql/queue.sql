-- The conditions on `state` are those of the indexes message_queue and message_timer, word by word, else SQLite uses neither.

-- name: waiting
SELECT {message} FROM message
WHERE connection = ?1 AND account_id = ?2 AND sender = ?3 AND state IN ('accepted', 'fallback')
  AND due_at >= ?4 AND due_at <= ?5 AND id NOT IN (SELECT value FROM json_each(?6))
ORDER BY due_at, id LIMIT ?7

-- name: next_waiting
SELECT min(due_at) FROM message
WHERE connection = ? AND account_id = ? AND sender = ? AND state IN ('accepted', 'fallback') AND due_at > ?

-- From one pair of account and sender to the next, whatever lies between them.
-- name: flows
WITH RECURSIVE flow (id) AS (
    SELECT * FROM (
        SELECT id FROM message WHERE connection = ?1 AND state IN ('accepted', 'fallback')
        ORDER BY account_id, sender, due_at LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT next.id FROM message AS next
        WHERE next.connection = ?1 AND next.state IN ('accepted', 'fallback')
          AND (next.account_id, next.sender) > (here.account_id, here.sender)
        ORDER BY next.account_id, next.sender, next.due_at LIMIT 1
    )
    FROM flow JOIN message AS here ON here.id = flow.id
)
SELECT account_id, sender, due_at FROM flow JOIN message USING (id)

-- name: overdue
SELECT {message} FROM message
WHERE connection = ?1 AND state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL AND due_at <= ?2
  AND id NOT IN (SELECT value FROM json_each(?3))
ORDER BY due_at LIMIT ?4

-- name: next_timer
SELECT min(due_at) FROM message
WHERE connection = ? AND state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL

-- name: page
SELECT {message} FROM message
WHERE connection = ?1 AND state IN ('accepted', 'fallback') AND (account_id, sender, due_at, id) > (?2, ?3, ?4, ?5)
ORDER BY account_id, sender, due_at, id LIMIT 100

-- name: recover
UPDATE message SET due_at = ?
WHERE state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL AND state IN ('submitting', 'sms-submitting')

-- name: in_use
WITH RECURSIVE
    queue (connection) AS (
        SELECT min(connection) FROM message WHERE state IN ('accepted', 'fallback')
        UNION ALL
        SELECT (SELECT min(connection) FROM message WHERE connection > queue.connection AND state IN ('accepted', 'fallback'))
        FROM queue WHERE queue.connection IS NOT NULL
    ),
    timer (connection) AS (
        SELECT min(connection) FROM message WHERE state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL
        UNION ALL
        SELECT (
            SELECT min(connection) FROM message
            WHERE connection > timer.connection AND state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL
        )
        FROM timer WHERE timer.connection IS NOT NULL
    )
SELECT connection FROM queue WHERE connection IS NOT NULL
UNION SELECT connection FROM timer WHERE connection IS NOT NULL ORDER BY connection

-- What only waits for its turn is stranded when it has expired; everything else when its timer or lease has run out.
-- name: stranded
SELECT {message} FROM message WHERE id IN (
    SELECT id FROM message WHERE connection = ?1 AND state IN ('accepted', 'fallback') AND expires_at <= ?2
    UNION ALL
    SELECT id FROM message
    WHERE connection = ?1 AND state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL AND due_at <= ?2
) LIMIT 100

-- name: times_in_doubt
SELECT count(*) FROM event WHERE message_id = ? AND happening = 'in-doubt' AND changed = 1

-- name: sent_today
SELECT messages FROM sender_day WHERE connection = ? AND sender = ? AND day = ?

-- One more or one less, with one statement: so a batch locks its days in order, and no two workers wait for one another.
-- name: count_sent
INSERT INTO sender_day (connection, sender, day, messages) VALUES (?1, ?2, ?3, CASE WHEN ?4 > 0 THEN 1 ELSE 0 END)
ON CONFLICT (connection, sender, day) DO UPDATE SET messages = sender_day.messages + ?4
WHERE sender_day.messages + ?4 BETWEEN 0 AND ?5
RETURNING messages

-- name: forget_days
DELETE FROM sender_day WHERE day < ?
