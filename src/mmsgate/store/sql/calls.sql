-- PostgreSQL only: with SQLite one process counts in memory.

-- name: last
SELECT at FROM call_last WHERE account_id = ?

-- name: called
INSERT INTO call_last (account_id, at) VALUES (?, ?)
ON CONFLICT (account_id) DO UPDATE SET at = greatest(call_last.at, excluded.at)

-- name: in_second
SELECT calls FROM call_second WHERE account_id = ? AND action = ? AND second >= ?

-- name: count
INSERT INTO call_second (account_id, action, second, calls) VALUES (?, ?, ?, 1)
ON CONFLICT (account_id, action) DO UPDATE SET
    calls = CASE WHEN call_second.second >= excluded.second THEN call_second.calls + 1 ELSE 1 END,
    second = greatest(call_second.second, excluded.second)
