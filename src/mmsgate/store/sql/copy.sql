-- The source, in SQLite.

-- In the order in which they were made: those that others refer to come first.
-- name: tables
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY rowid

-- name: columns
SELECT name FROM pragma_table_info(?)

-- name: span_message
SELECT min(id), max(id) FROM message

-- name: span_event
SELECT min(message_id), max(message_id) FROM event

-- name: span_postback
SELECT min(message_id), max(message_id) FROM postback

-- name: span_sms_part
SELECT min(message_id), max(message_id) FROM sms_part

-- The target, in PostgreSQL.

-- name: living
SELECT count(*) FROM node WHERE seen_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - ?::bigint

-- name: target_columns
SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(?::text) AND attnum > 0

-- As `recover` in queue.sql, postbacks.sql, preparations.sql and keys.sql.
-- name: overdue
UPDATE message SET due_at = least(due_at, ?::bigint)
WHERE state NOT IN ('accepted', 'fallback') AND due_at IS NOT NULL AND state IN ('submitting', 'sms-submitting')

-- name: free_messages
UPDATE message SET leased_by = NULL WHERE leased_by IS NOT NULL

-- name: free_postbacks
UPDATE postback SET due_at = CASE WHEN state = 'pending' THEN ?::bigint END, leased_by = NULL WHERE leased_by IS NOT NULL

-- name: free_preparations
UPDATE preparation SET due_at = ?::bigint, deadline = NULL,
    attempts = attempts + CASE WHEN leased_by IS NULL THEN 0 ELSE 1 END, leased_by = NULL
WHERE deadline IS NOT NULL

-- name: free_keys
DELETE FROM idempotency WHERE response IS NULL

-- Which table's id comes from which sequence: identities, and those of the partitioned tables.
-- name: sequences
SELECT attrelid::regclass::text, pg_get_serial_sequence(attrelid::regclass::text, 'id') FROM pg_attribute
WHERE attname = 'id' AND attidentity <> '' AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)
UNION ALL VALUES ('event', 'event_id'), ('postback', 'postback_id')
