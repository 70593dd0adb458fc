-- The server's health in one row.
SELECT current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend') AS clients,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type IS NULL) AS hidden,
       (SELECT round(100.0 * sum(blks_hit) / nullif(sum(blks_hit + blks_read), 0), 2)::float8
        FROM pg_catalog.pg_stat_database WHERE datname = current_database()) AS cache_hit,
       (SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::float8 FROM pg_catalog.pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()) AS longest_transaction_s,
       (SELECT string_agg(gid || ' in ' || database, ', ') FROM (
          SELECT gid, database FROM pg_catalog.pg_prepared_xacts
          WHERE prepared < clock_timestamp() - interval '5 minutes' ORDER BY prepared LIMIT 3) x) AS prepared,
       pg_catalog.pg_size_pretty(pg_catalog.pg_database_size(current_database())) AS size,
       (SELECT string_agg(relname || ' ' || dead || ' %', ', ') FROM (
          SELECT relname, round(100.0 * n_dead_tup / (n_live_tup + n_dead_tup)) AS dead
          FROM pg_catalog.pg_stat_user_tables WHERE n_dead_tup > 1000 AND n_dead_tup > n_live_tup * 0.2
          ORDER BY n_dead_tup DESC LIMIT 3) b) AS bloated,
       (SELECT string_agg(indexrelname || ' ' || size, ', ') FROM (
          SELECT s.indexrelname, pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(s.indexrelid)) AS size
          FROM pg_catalog.pg_stat_user_indexes s JOIN pg_catalog.pg_index i USING (indexrelid)
          WHERE s.idx_scan = 0 AND NOT i.indisunique AND pg_catalog.pg_relation_size(s.indexrelid) > 1048576
          ORDER BY pg_catalog.pg_relation_size(s.indexrelid) DESC LIMIT 3) u) AS unused_indexes,
       (SELECT string_agg(relname || ' ' || seq_tup_read, ', ') FROM (
          SELECT relname, seq_tup_read FROM pg_catalog.pg_stat_user_tables
          WHERE n_live_tup > 10000 AND seq_tup_read > 1000000 AND seq_scan > coalesce(idx_scan, 0)
          ORDER BY seq_tup_read DESC LIMIT 3) m) AS read_from_end_to_end,
       (SELECT count(*) FROM pg_catalog.pg_stat_replication) AS replicas,
       (SELECT string_agg(slot_name, ', ') FROM pg_catalog.pg_replication_slots WHERE NOT active) AS idle_slots,
       EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s
               WHERE 'default_transaction_read_only=on' = ANY (s.setconfig)) AS made_read_only,
       pg_catalog.pg_is_in_recovery() AS replica,
       pg_catalog.to_regclass('cron.job_run_details') IS NOT NULL AS has_cron
