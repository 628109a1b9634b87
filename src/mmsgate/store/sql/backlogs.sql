-- name: messages
SELECT count(*) FROM (
    SELECT 1 FROM message WHERE connection = ? AND state IN ('accepted', 'fallback') LIMIT ?
) AS waiting

-- What waits for an earlier one of its message is due at no time.
-- name: postbacks
SELECT count(*), min(due_at) FROM postback WHERE state = 'pending' AND due_at IS NOT NULL
