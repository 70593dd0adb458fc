-- What became of the session that could not be ended.
SELECT a.backend_start = $2::timestamptz AS same_session,
       a.state_change IS NOT DISTINCT FROM $3::timestamptz AS same_state,
       coalesce(a.state, '') AS state, coalesce(r.rolsuper, false) AS superuser,
       a.application_name LIKE 'isla-console%'
         OR coalesce(a.query, '') ~ '^(ROLLBACK|COMMIT) -- isla-console/' AS ours, a.backend_type = 'client backend' AS client
FROM pg_catalog.pg_stat_activity a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
WHERE a.pid = $1::int
