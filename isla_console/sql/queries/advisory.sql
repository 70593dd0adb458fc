-- The advisory locks of this session that it does not hold since before: $1 are those, as written here.
-- A transaction's own locks are among them; they end with it, and cannot be freed before.
SELECT format('%s %s %s %s', classid, objid, objsubid, mode) AS held,
       CASE WHEN objsubid = 1 THEN format('(%s)', (classid::bigint << 32) | objid::bigint)
            ELSE format('(%s, %s)', classid::int, objid::int) END AS key,
       CASE mode WHEN 'ExclusiveLock' THEN 'pg_advisory_unlock' ELSE 'pg_advisory_unlock_shared' END AS free
FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND granted AND pid = pg_catalog.pg_backend_pid()
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND NOT format('%s %s %s %s', classid, objid, objsubid, mode) = ANY ($1::text[])
