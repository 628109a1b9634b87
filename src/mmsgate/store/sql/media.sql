-- name: cached
SELECT url, blob, mime, size, width, height, etag, last_modified, fresh_until, fetched_at FROM fetch_cache WHERE url = ?

-- name: put_cached
INSERT INTO fetch_cache (url, blob, mime, size, width, height, etag, last_modified, fresh_until, fetched_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (url) DO UPDATE SET
    blob = excluded.blob, mime = excluded.mime, size = excluded.size, width = excluded.width,
    height = excluded.height, etag = excluded.etag, last_modified = excluded.last_modified,
    fresh_until = excluded.fresh_until, fetched_at = excluded.fetched_at

-- name: cached_bytes
SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM fetch_cache GROUP BY blob)

-- name: oldest_cached
SELECT url, blob, size FROM fetch_cache WHERE fetched_at < ? ORDER BY fetched_at LIMIT 100

-- name: delete_cached
DELETE FROM fetch_cache WHERE url = ?

-- name: needed
SELECT EXISTS (SELECT 1 FROM content_blob WHERE blob = ?1) OR EXISTS (SELECT 1 FROM fetch_cache WHERE blob = ?1)
    OR EXISTS (SELECT 1 FROM upload WHERE blob = ?1) OR EXISTS (SELECT 1 FROM inbound_file WHERE blob = ?1)

-- name: put_upload
INSERT INTO upload (token, account_id, kind, blob, mime, size, width, height, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: upload
SELECT kind, blob, mime, size, width, height FROM upload WHERE token = ? AND account_id = ?
