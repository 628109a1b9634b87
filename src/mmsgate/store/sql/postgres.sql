-- name: leave_token
INSERT INTO commit_token (token, left_at) VALUES (?, ?) ON CONFLICT DO NOTHING

-- name: forget_tokens
DELETE FROM commit_token WHERE left_at < ?
