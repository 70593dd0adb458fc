-- Every client's session, newest activity last. Without pg_monitor other roles' state and query are hidden.
SELECT a.pid, a.backend_start, a.state_change, a.usename::text AS role, a.datname::text AS database,
       coalesce(a.application_name, '') AS application,
       coalesce(host(a.client_addr), 'local') AS client,
       coalesce(a.state, '') AS state,
       coalesce(a.wait_event_type, '') AS wait_type, coalesce(a.wait_event, '') AS wait,
       extract(epoch FROM clock_timestamp() - a.backend_start)::float8 AS age_s,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_s,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_s,
       left(coalesce(a.query, ''), 4000) AS query,
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(a.pid) ELSE '{}' END AS blocked_by,
       coalesce(r.rolsuper, false) AS superuser,
       a.backend_type IS NULL AS hidden,
       a.application_name LIKE 'isla-console%' AS ours,
       coalesce(pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'member')
                OR pg_catalog.pg_has_role(current_user, a.usename, 'member'), false) AS may_signal
FROM pg_catalog.pg_stat_activity a
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
WHERE a.backend_type = 'client backend' OR (a.backend_type IS NULL AND a.usename IS NOT NULL)
ORDER BY a.xact_start NULLS LAST, a.state_change
LIMIT 1000
