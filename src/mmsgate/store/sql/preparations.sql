-- A page's version that is there already is not asked for again.
-- name: insert
INSERT INTO preparation (content_id, key, terms, account_id, dialect, due_at, attempts)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, 0
WHERE NOT (?7 = 1 AND EXISTS (SELECT 1 FROM rendition WHERE content_id = ?1 AND rendition.terms = ?2))
ON CONFLICT DO NOTHING

-- Every account has its turn, and a part of the places at most, however much one of them has given us to do.
-- name: claim
UPDATE preparation SET due_at = ?1, leased_by = ?2, deadline = coalesce(deadline, ?3 + ?4)
WHERE due_at <= ?3 AND (content_id, key) IN (
    SELECT content_id, key FROM (
        SELECT content_id, key, due_at,
            row_number() OVER (PARTITION BY account_id ORDER BY due_at <= ?3, due_at) AS turn
        FROM preparation WHERE leased_by IS NOT NULL OR due_at <= ?3
    ) WHERE due_at <= ?3 AND turn <= ?5 ORDER BY turn, due_at LIMIT ?6
)
RETURNING content_id, account_id, dialect, terms, deadline, attempts

-- name: next_due
SELECT min(due_at) FROM preparation

-- name: renew
UPDATE preparation SET due_at = ? WHERE content_id = ? AND key = ? AND leased_by = ?

-- name: retry
UPDATE preparation SET due_at = ?, leased_by = NULL, attempts = ?
WHERE content_id = ? AND key = ? AND leased_by = ?

-- name: release
UPDATE preparation SET due_at = ?, leased_by = NULL, deadline = NULL WHERE content_id = ? AND key = ? AND leased_by = ?

-- name: release_all
UPDATE preparation SET due_at = ?, leased_by = NULL, deadline = NULL WHERE leased_by = ?

-- The time while nobody worked does not count; that it was under way when we died does, so that none dies for ever.
-- name: recover
UPDATE preparation SET due_at = ?1, deadline = NULL, attempts = attempts + CASE WHEN leased_by IS NULL THEN 0 ELSE 1 END, leased_by = NULL
WHERE deadline IS NOT NULL

-- A message may have come to wait for it since one looked: then there is more to do.
-- name: finish
DELETE FROM preparation WHERE content_id = ?1 AND key = ?2
  AND NOT EXISTS (SELECT 1 FROM message WHERE mms_id = ?1 AND awaits = ?2 AND state = 'preparing')

-- name: waiting
SELECT {message} FROM message WHERE mms_id = ? AND awaits = ? AND state = 'preparing' ORDER BY id LIMIT 500

-- name: count
SELECT count(*) FROM preparation
