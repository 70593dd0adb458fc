-- Every client's session, newest activity last, and whatever else a session waits for: processes of the server
-- and prepared transactions, which no process holds (they get numbers of their own, below zero).
-- Without pg_monitor other roles' state and query are hidden.
-- A console's connection bears its name only while it works; idle, its last statement says whose it is.
-- All ages are of one moment: read for each row, the clock of a busy server puts them in another order.
WITH clock AS MATERIALIZED (SELECT pg_catalog.clock_timestamp() AS moment),
waiting AS MATERIALIZED (
    SELECT a.pid, pg_catalog.pg_blocking_pids(a.pid) AS blockers
    FROM pg_catalog.pg_stat_activity a WHERE a.wait_event_type = 'Lock'
),
-- pg_blocking_pids says 0 for a prepared transaction; which one it is, the locks say.
prepared AS MATERIALIZED (
    SELECT p.gid, p.prepared, p.owner, p.database, l.virtualtransaction AS holder,
           (-row_number() OVER (ORDER BY p.prepared, p.gid))::int AS pid
    FROM pg_catalog.pg_prepared_xacts p
    JOIN pg_catalog.pg_locks l ON l.pid IS NULL AND l.locktype = 'transactionid' AND l.granted
                              AND l.transactionid = p.transaction
    WHERE EXISTS (SELECT FROM waiting w WHERE 0 = ANY (w.blockers))
),
held AS MATERIALIZED (
    SELECT w.pid AS waits, p.pid AS blocker
    FROM waiting w
    JOIN pg_catalog.pg_locks asked ON asked.pid = w.pid AND NOT asked.granted
    JOIN pg_catalog.pg_locks l ON l.pid IS NULL AND l.granted AND l.locktype = asked.locktype
     AND (l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid, l.objsubid)
         IS NOT DISTINCT FROM (asked.database, asked.relation, asked.page, asked.tuple, asked.virtualxid,
                               asked.transactionid, asked.classid, asked.objid, asked.objsubid)
    JOIN prepared p ON p.holder = l.virtualtransaction
    WHERE 0 = ANY (w.blockers)
)
SELECT a.pid, a.backend_start, a.state_change, a.usename::text AS role, a.datname::text AS database,
       CASE WHEN c.name IS NOT NULL THEN c.name
            WHEN a.backend_type <> 'client backend' THEN a.backend_type
            ELSE coalesce(a.application_name, '') END AS application,
       coalesce(host(a.client_addr), 'local') AS client,
       coalesce(a.state, '') AS state,
       coalesce(a.wait_event_type, '') AS wait_type, coalesce(a.wait_event, '') AS wait,
       extract(epoch FROM (SELECT t.moment FROM clock t) - a.backend_start)::float8 AS age_s,
       extract(epoch FROM (SELECT t.moment FROM clock t) - a.state_change)::float8 AS state_s,
       extract(epoch FROM (SELECT t.moment FROM clock t) - a.xact_start)::float8 AS transaction_s,
       left(coalesce(a.query, ''), 4000) AS query,
       ARRAY (SELECT b FROM unnest(w.blockers) b WHERE b <> 0
              UNION SELECT h.blocker FROM held h WHERE h.waits = a.pid) AS blocked_by,
       coalesce(r.rolsuper, false) AS superuser,
       a.backend_type IS NULL AS hidden,
       a.application_name LIKE 'isla-console%' OR c.name IS NOT NULL AS ours,
       coalesce(pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'member')
                OR pg_catalog.pg_has_role(current_user, a.usename, 'member'), false) AS may_signal,
       coalesce(a.backend_type, '') AS kind, '' AS gid
FROM pg_catalog.pg_stat_activity a
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
LEFT JOIN waiting w ON w.pid = a.pid
LEFT JOIN LATERAL (
    SELECT substring(a.query FROM '^(?:ROLLBACK|COMMIT) -- (isla-console/.*)$') AS name WHERE a.state = 'idle'
) c ON true
WHERE a.backend_type = 'client backend' OR (a.backend_type IS NULL AND a.usename IS NOT NULL)
   OR a.pid IN (SELECT unnest(blockers) FROM waiting) OR w.pid IS NOT NULL
UNION ALL
SELECT p.pid, p.prepared, p.prepared, p.owner::text, p.database::text, 'prepared transaction', '', 'prepared',
       '', '', extract(epoch FROM (SELECT t.moment FROM clock t) - p.prepared)::float8,
       extract(epoch FROM (SELECT t.moment FROM clock t) - p.prepared)::float8,
       extract(epoch FROM (SELECT t.moment FROM clock t) - p.prepared)::float8,
       '', '{}', false, false, false, false, 'prepared transaction', p.gid
FROM prepared p WHERE p.pid IN (SELECT blocker FROM held)
ORDER BY transaction_s DESC NULLS LAST, state_s DESC
LIMIT 1000
