-- name: read
SELECT value FROM revision

-- A count for no connection, which disturbs nobody and is dropped with the counts of earlier days. It has to change:
-- an UPDATE that leaves a row as it is writes nothing.
-- name: write
INSERT INTO sender_day (connection, sender, day, messages) VALUES ('', 'readiness', 0, 1)
ON CONFLICT (connection, sender, day) DO UPDATE SET messages = sender_day.messages % 1000 + 1

-- name: schema
SELECT user_version FROM pragma_user_version
