-- name: insert
INSERT INTO template (id, account_id, state, size, fallback_text, disable_fallback, disable_fallback_link, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: get
SELECT {template} FROM template WHERE id = ? AND account_id = ? AND deleted_at IS NULL

-- name: page
SELECT {template}, content.id, content.account_id, content.name, content.subject, content.slides, content.created_at
FROM template JOIN content ON content.id = template.id
WHERE template.account_id = ? AND template.created_at >= ? AND deleted_at IS NULL
ORDER BY template.created_at DESC, template.id DESC LIMIT ? OFFSET ?

-- name: count
SELECT count(*) FROM template WHERE account_id = ? AND created_at >= ? AND deleted_at IS NULL

-- name: ids
SELECT id FROM template WHERE account_id = ? AND deleted_at IS NULL ORDER BY created_at DESC, id DESC

-- name: sent
UPDATE template SET last_sent_at = ? WHERE id = ? AND deleted_at IS NULL

-- name: there
SELECT 1 FROM template WHERE id = ? AND deleted_at IS NULL

-- name: delete
UPDATE template SET deleted_at = ? WHERE id = ? AND account_id = ? AND deleted_at IS NULL

-- name: unneeded
SELECT id FROM template
WHERE deleted_at IS NOT NULL AND coalesce(last_sent_at, 0) < ?1
  AND NOT EXISTS (SELECT 1 FROM page WHERE page.mms_id = template.id AND page.expires_at > ?2)
LIMIT 100

-- name: free_template
DELETE FROM template WHERE id = ?

-- name: free_content
DELETE FROM content WHERE id = ?

-- name: free_renditions
DELETE FROM rendition WHERE content_id = ?

-- name: free_encoded
DELETE FROM encoded WHERE content_id = ?

-- name: prepared
UPDATE template SET state = ?, reason = ? WHERE id = ? AND state = 'preparing' AND deleted_at IS NULL

-- name: free_blobs
DELETE FROM content_blob WHERE content_id = ?
