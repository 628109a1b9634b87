-- What is over: messages in a final state whose postbacks have all been sent or parked. `{over}` says so of `message`, ?1 and
-- ?2 are the ids before and at the end of a step.

-- name: step
SELECT max(id), count(*) FILTER (WHERE NOT ({over})) FROM (
    SELECT id, state FROM message WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3
) AS message

-- What names a message from outside. A device discovery has the tracking id of the message that waits for it.
-- name: free_tracking
DELETE FROM tracking WHERE (tracking_id, message_id) IN (
    SELECT tracking_id, id FROM message WHERE id > ?1 AND id <= ?2 AND {over}
)

-- name: free_page
DELETE FROM page WHERE token IN (
    SELECT fallback_token FROM message WHERE id > ?1 AND id <= ?2 AND fallback_token <> '' AND {over}
)

-- name: free_carrier_id
DELETE FROM carrier_id WHERE message_id > ?1 AND message_id <= ?2
  AND EXISTS (SELECT 1 FROM message WHERE message.id = carrier_id.message_id AND {over})

-- A message's own content goes with it. Where a template shares it, that decides.
-- name: free_content_blob
DELETE FROM content_blob WHERE content_id IN ({contents})

-- name: free_rendition
DELETE FROM rendition WHERE content_id IN ({contents})

-- name: free_encoded
DELETE FROM encoded WHERE content_id IN ({contents})

-- name: free_content
DELETE FROM content WHERE id IN ({contents})

-- From here on SQLite only: PostgreSQL drops the month.
-- name: free_event
DELETE FROM event WHERE message_id > ?1 AND message_id <= ?2
  AND EXISTS (SELECT 1 FROM message WHERE message.id = event.message_id AND {over})

-- name: free_sms_part
DELETE FROM sms_part WHERE message_id > ?1 AND message_id <= ?2
  AND EXISTS (SELECT 1 FROM message WHERE message.id = sms_part.message_id AND {over})

-- Also those about templates. Those about inbound messages go with them.
-- name: free_postback
DELETE FROM postback WHERE message_id > ?1 AND message_id <= ?2 AND state <> 'pending'
  AND NOT EXISTS (SELECT 1 FROM message WHERE message.id = postback.message_id AND NOT ({over}))
  AND NOT EXISTS (SELECT 1 FROM inbound WHERE inbound.id = postback.message_id)

-- name: free_message
DELETE FROM message WHERE id > ?1 AND id <= ?2 AND {over}
