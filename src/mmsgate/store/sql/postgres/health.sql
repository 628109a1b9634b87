-- name: schema
SELECT version FROM schema_version
