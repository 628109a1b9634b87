-- What somebody holds is left out.
-- name: page
SELECT {message} FROM message
WHERE connection = $1 AND state IN ('accepted', 'fallback') AND (account_id, sender, due_at, id) > ($2, $3, $4, $5)
  AND leased_by IS NULL
ORDER BY account_id, sender, due_at, id LIMIT 100
