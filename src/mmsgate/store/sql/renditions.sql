-- name: get
SELECT slides, notes FROM rendition WHERE content_id = ? AND terms = ?

-- Nothing is kept for a content that was freed meanwhile.
-- name: put
INSERT INTO rendition (content_id, terms, slides, notes, made_at)
SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM content WHERE id = ?1)
ON CONFLICT (content_id, terms) DO UPDATE SET slides = excluded.slides, notes = excluded.notes, made_at = excluded.made_at

-- name: encoded
SELECT blob, boundary, href, decoded_size, allow_adaptations FROM encoded
WHERE content_id = ? AND terms = ? AND dialect = ?

-- Only templates are sent again and again. One that is there is replaced: its blob was lost.
-- name: put_encoded
INSERT INTO encoded (content_id, terms, dialect, blob, boundary, href, decoded_size, allow_adaptations)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM template WHERE id = ?1)
ON CONFLICT (content_id, terms, dialect) DO UPDATE SET
    blob = excluded.blob, boundary = excluded.boundary, href = excluded.href, decoded_size = excluded.decoded_size,
    allow_adaptations = excluded.allow_adaptations

-- name: is_template
SELECT 1 FROM template WHERE id = ?
