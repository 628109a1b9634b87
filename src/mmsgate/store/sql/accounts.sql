-- name: revision
SELECT value FROM revision

-- name: bump
UPDATE revision SET value = value + 1

-- name: accounts
SELECT id, name, settings FROM account

-- name: insert_account
INSERT INTO account (name, settings, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING RETURNING id

-- name: update_account
UPDATE account SET settings = ? WHERE id = ?

-- name: keys
SELECT hash, account_id FROM api_key WHERE revoked_at IS NULL

-- name: keys_of
SELECT label, hint, created_at, revoked_at FROM api_key WHERE account_id = ? ORDER BY created_at

-- name: insert_key
INSERT INTO api_key (hash, account_id, label, hint, created_at) VALUES (?, ?, ?, ?, ?)

-- name: revoke_key
UPDATE api_key SET revoked_at = ? WHERE account_id = ? AND (label = ? OR hint = ?) AND revoked_at IS NULL

-- name: senders
SELECT account_id, number, type, services FROM sender ORDER BY account_id

-- name: upsert_sender
INSERT INTO sender (account_id, number, type, services) VALUES (?, ?, ?, ?)
ON CONFLICT (account_id, number) DO UPDATE SET type = excluded.type, services = excluded.services

-- name: delete_sender
DELETE FROM sender WHERE account_id = ? AND number = ?

-- name: insert_block
INSERT INTO block (account_id, number, sender, reason, origin, created_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING

-- name: delete_block
DELETE FROM block WHERE account_id = ? AND number = ? AND sender = ?

-- name: delete_opt_out
DELETE FROM block WHERE account_id = ? AND number = ? AND sender = ? AND origin <> 'operator'

-- name: blocked
SELECT reason FROM block WHERE account_id = ? AND number = ? AND sender IN ('', ?) LIMIT 1

-- name: block_patterns
SELECT account_id, number, sender, reason FROM block WHERE number LIKE '%*%'

-- name: blocks
SELECT number, sender, reason, origin, created_at FROM block WHERE account_id = ? ORDER BY number, sender

-- name: carriers
SELECT name, profile FROM carrier ORDER BY name

-- name: upsert_carrier
INSERT INTO carrier (name, profile) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET profile = excluded.profile

-- name: delete_carrier
DELETE FROM carrier WHERE name = ?

-- name: add_calls
INSERT INTO usage (account_id, day, calls) VALUES (?, ?, ?)
ON CONFLICT (account_id, day) DO UPDATE SET calls = usage.calls + excluded.calls

-- name: calls
SELECT calls FROM usage WHERE account_id = ? AND day = ?

-- name: raise_alarm
INSERT INTO alarm (subject, reason, raised_at, last_at, times) VALUES (?, ?, ?, ?, 1)
ON CONFLICT (subject) WHERE cleared_at IS NULL DO UPDATE SET
    reason = excluded.reason, last_at = excluded.last_at, times = alarm.times + 1

-- name: clear_alarm
UPDATE alarm SET cleared_at = ? WHERE subject = ? AND cleared_at IS NULL

-- name: open_alarms
SELECT subject, reason, raised_at, last_at, times FROM alarm WHERE cleared_at IS NULL ORDER BY raised_at
