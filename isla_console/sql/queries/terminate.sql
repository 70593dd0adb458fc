-- Ends one session, only if it is still the one seen: same process, same start, still in the state it was in
-- (NULL: in whatever state). Never a superuser's, never a console's.
SELECT a.pid, pg_catalog.pg_terminate_backend(a.pid, 2000) AS done
FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
WHERE a.pid = $1::int AND a.backend_start = $2::timestamptz
  AND ($3::timestamptz IS NULL OR a.state_change = $3::timestamptz)
  AND a.backend_type = 'client backend' AND NOT r.rolsuper
  AND a.pid <> pg_catalog.pg_backend_pid() AND a.application_name NOT LIKE 'isla-console%'
  AND coalesce(a.query, '') !~ '^(ROLLBACK|COMMIT) -- isla-console/'
