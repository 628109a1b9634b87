-- name: known_elsewhere
SELECT connection, verbatim FROM carrier_id
WHERE normalised = $1 AND connection IN (SELECT jsonb_array_elements_text($2::text::jsonb)) LIMIT 3

-- name: find_doubtful_part
SELECT sms_part.number, {message} FROM message JOIN sms_part ON sms_part.message_id = message.id
WHERE recipient = $1 AND $2 IN ('', sender, sender_mask) AND connection = $3 AND accepted_at <= $4
  AND message.state IN ('sent', 'submitting', 'unknown', 'sms-unknown') AND message.state = 'sms-unknown'
  AND sms_part.state = 'unknown'
LIMIT 2
