-- name: added
SELECT id, name, country, spid, aliases FROM operator ORDER BY id

-- name: put
INSERT INTO operator (id, name, country, spid, aliases) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, country = excluded.country, spid = excluded.spid, aliases = excluded.aliases

-- name: remove
DELETE FROM operator WHERE id = ?
