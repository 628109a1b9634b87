-- name: forget_tokens
DELETE FROM commit_token WHERE left_at < ?
