# ruff: noqa: E501 - a statement stands on its line
"""Plain reads of every day, on the tables of `statements.SCHEMA`: what people look up during an incident."""

from __future__ import annotations

INSPECT: tuple[str, ...] = (
    # What the vendor's command line inspects, in our own words.
    "SELECT sum(heap_blks_hit) / nullif(sum(heap_blks_hit) + sum(heap_blks_read), 0) AS table_hit FROM pg_statio_user_tables",
    "SELECT sum(idx_blks_hit) / nullif(sum(idx_blks_hit + idx_blks_read), 0) AS index_hit FROM pg_statio_user_indexes",
    "SELECT relname, pg_size_pretty(pg_total_relation_size(relid)) FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC",
    "SELECT c.relname AS index, pg_size_pretty(sum(c.relpages::bigint * 8192)::bigint) AS size FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_toast' AND c.relkind = 'i' GROUP BY 1 ORDER BY sum(c.relpages) DESC",
    "SELECT relname, CASE idx_scan WHEN 0 THEN 'never used' ELSE (100 * idx_scan / (seq_scan + idx_scan))::text END AS percent FROM pg_stat_user_tables ORDER BY n_live_tup DESC",
    "SELECT schemaname || '.' || relname AS table, indexrelname, pg_size_pretty(pg_relation_size(i.indexrelid)), idx_scan FROM pg_stat_user_indexes ui JOIN pg_index i ON ui.indexrelid = i.indexrelid WHERE NOT indisunique AND idx_scan < 50 ORDER BY pg_relation_size(i.indexrelid) DESC",
    "SELECT relname, seq_scan FROM pg_stat_user_tables ORDER BY seq_scan DESC",
    "SELECT pid, age(clock_timestamp(), query_start) AS duration, usename, query FROM pg_stat_activity WHERE state <> 'idle' AND now() - query_start > interval '5 minutes' ORDER BY 2 DESC",
    "SELECT l.pid, c.relname, l.transactionid, l.granted, a.query, age(now(), a.query_start) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid LEFT JOIN pg_class c ON c.oid = l.relation WHERE l.mode IN ('ExclusiveLock', 'AccessExclusiveLock', 'RowExclusiveLock') AND a.pid <> pg_backend_pid() ORDER BY a.query_start",
    "SELECT bl.pid AS blocked, ka.query AS blocking, kl.pid FROM pg_locks bl JOIN pg_stat_activity a ON bl.pid = a.pid JOIN pg_locks kl ON bl.transactionid = kl.transactionid AND bl.pid <> kl.pid JOIN pg_stat_activity ka ON kl.pid = ka.pid WHERE NOT bl.granted",
    "SELECT schemaname, relname, n_live_tup, n_dead_tup, last_vacuum, last_autovacuum FROM pg_stat_user_tables ORDER BY n_dead_tup DESC",
    "WITH settings AS (SELECT current_setting('autovacuum_vacuum_threshold')::int AS base, current_setting('autovacuum_vacuum_scale_factor')::float8 AS factor) SELECT relname, n_dead_tup, base + factor * n_live_tup AS due FROM pg_stat_user_tables, settings ORDER BY n_dead_tup DESC",
    "SELECT relname, reltuples::bigint AS estimate FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'",
    "SELECT rolname, rolconnlimit, (SELECT count(*) FROM pg_stat_activity a WHERE a.usename = r.rolname) AS active FROM pg_roles r ORDER BY 3 DESC",
    "SELECT rolname, array_agg(setting) FROM pg_roles r LEFT JOIN LATERAL unnest(r.rolconfig) setting ON true GROUP BY 1",
    "SELECT slot_name, active, restart_lsn, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots",
    "SELECT datname, age(datfrozenxid), 2^31 - age(datfrozenxid) AS left FROM pg_database ORDER BY 2 DESC",
    "SELECT n.nspname, c.relname, age(c.relfrozenxid), pg_size_pretty(pg_table_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm', 't') ORDER BY 3 DESC LIMIT 20",
    "SELECT conrelid::regclass AS table, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = conrelid AND i.indkey[0] = conkey[1])",
    "SELECT sum(numbackends), sum(xact_commit), sum(xact_rollback), sum(deadlocks), pg_size_pretty(sum(temp_bytes)) FROM pg_stat_database WHERE datname = current_database()",
)

_JOINS = ("JOIN u ON u.t_id = t.id", "LEFT JOIN u ON u.t_id = t.id", "RIGHT JOIN u ON u.t_id = t.id", "FULL JOIN u ON u.t_id = t.id", "CROSS JOIN u")  # fmt: skip
_COLUMNS = ("t.id", "count(*)", "max(t.at)", "array_agg(t.a ORDER BY t.a DESC)", "jsonb_object_agg(t.id, t.b)", "sum(t.a) FILTER (WHERE t.a > 3)", "string_agg(DISTINCT t.b, ', ')")  # fmt: skip
_WINDOWS = ("row_number() OVER w", "rank() OVER w", "dense_rank() OVER w", "percent_rank() OVER w", "cume_dist() OVER w", "ntile(4) OVER w", "lag(a, 1) OVER w", "lead(b) OVER w", "first_value(a) OVER w", "last_value(a) OVER w", "nth_value(a, 2) OVER w", "avg(a) OVER w", "sum(a) OVER (w ROWS 3 PRECEDING)", "count(*) OVER (w RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW)", "max(a) OVER (w GROUPS 2 PRECEDING EXCLUDE TIES)")  # fmt: skip
_VALUES = (
    "doc -> 'n'", "doc ->> 'n'", "doc #> '{n}'", "doc @> '{\"n\": 1}'", "doc ? 'n'", "doc ?| ARRAY['n']", "doc - 'n'", "doc || '{\"m\": 2}'", "doc @? '$.n'", "doc @@ '$.n == 1'", "jsonb_pretty(doc)", "jsonb_typeof(doc -> 'n')", "jsonb_set(doc, '{n}', '2')", "jsonb_path_query_first(doc, '$.n')", "to_jsonb(u)", "row_to_json(u)", "jsonb_build_array(id, doc)", "jsonb_strip_nulls(doc)",
    "tags || ARRAY['z']", "array_length(tags, 1)", "cardinality(tags)", "tags @> ARRAY['x']", "tags && ARRAY['y']", "array_to_string(tags, '-')", "array_position(tags, 'y')", "array_remove(tags, 'x')", "array_append(tags, 'q')", "tags[1]", "tags[1:1]", "'x' = ANY (tags)", "array_agg(id) OVER ()",
    "int4range(id, id + 5) @> 3", "int4range(1, id) && int4range(3, 9)", "upper(int4range(1, id))", "tstzrange(now() - interval '1 h', now()) @> now()", "daterange('2026-01-01', '2026-02-01') - daterange('2026-01-20', '2026-03-01') IS NULL", "lower(numrange(1, 2))", "int4multirange(int4range(1, 3), int4range(5, 8)) @> 2", "range_merge(int4range(1, 2), int4range(4, 5))",
    "to_tsvector('english', array_to_string(tags, ' ')) @@ plainto_tsquery('x')", "ts_rank(to_tsvector('a b'), to_tsquery('a'))", "ts_headline('a b c', to_tsquery('b'))", "websearch_to_tsquery('a or b')::text", "setweight(to_tsvector('a'), 'A')::text", "numnode(to_tsquery('a & b'))",
    "id::text", "id::numeric(10, 2)", "id::float8 / 3", "id % 7", "power(id, 2)", "sqrt(id)", "round(id / 3.0, 2)", "width_bucket(id, 0, 20, 4)", "greatest(id, 3)", "nullif(id, 4)", "coalesce(NULL, id)", "id BETWEEN 2 AND 4", "id IS DISTINCT FROM 3", "id IN (1, 2, 3)", "id = ANY ('{1,2}'::int[])", "CASE WHEN id > 3 THEN 'big' ELSE 'small' END", "format('%s-%s', id, id)", "lpad(id::text, 5, '0')", "md5(id::text)", "encode(sha256(id::text::bytea), 'hex')", "regexp_matches(id::text, '\\d')", "regexp_split_to_array('a,b', ',')", "split_part('a.b', '.', 1)", "substring('abc' FROM '..')", "translate('abc', 'a', 'b')", "overlay('abc' PLACING 'x' FROM 2)", "initcap('abc')", "reverse('abc')", "starts_with('abc', 'a')", "'a' ILIKE 'A%'", "quote_nullable(NULL)", "chr(65)", "ascii('a')", "date_part('dow', now())", "date_bin('15 min', now(), '2026-01-01')", "now()::date - 7", "age(now(), '2026-01-01')", "to_timestamp(0)", "to_date('2026', 'YYYY')", "make_date(2026, 1, 1)", "justify_interval('36 h')", "timezone('Europe/Berlin', now())", "isfinite(now())", "inet '10.0.0.1' << inet '10.0.0.0/8'", "host('10.0.0.1'::inet)", "masklen('10.0.0.0/8'::cidr)", "'08:00:2b:01:02:03'::macaddr::text", "point(1, 2) <-> point(3, 4)", "box '((0,0),(1,1))' @> point '(0.5,0.5)'", "'7ff'::bit(12)::text IS NULL", "1::money::text", "uuid '00000000-0000-0000-0000-000000000001'::text", "pg_typeof(id)", "num_nulls(id, NULL)", "'calm'::mood > 'not'::mood", "enum_range(NULL::mood)", "enum_first(NULL::mood)", "(ROW(id, 2)::pair).x", "ROW(1, 'a') = ROW(1, 'b')", "twice(id)", "newest()", "id ### 3", "7::positive",
)  # fmt: skip

EVERYDAY: tuple[str, ...] = (
    *(
        f"SELECT {column} FROM t {join} GROUP BY {'1' if column == 't.id' else 't.id'}"
        for join in _JOINS
        for column in _COLUMNS
    ),
    *(f"SELECT {one} FROM t WINDOW w AS (PARTITION BY a % 3 ORDER BY at)" for one in _WINDOWS),
    *(f"SELECT {one} FROM u" for one in _VALUES if "7ff" not in one),
    "SELECT * FROM parts WHERE day BETWEEN '2026-01-01' AND '2026-01-31'",
    "SELECT tableoid::regclass, count(*) FROM parts GROUP BY 1",
    "SELECT * FROM pg_partition_tree('parts')",
    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0",
    "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 't'::regclass",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'u'::regclass",
    "SELECT proname, pg_get_function_arguments(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "SELECT * FROM information_schema.columns WHERE table_name = 't'",
    "SELECT * FROM information_schema.table_privileges LIMIT 5",
    "SELECT * FROM information_schema.referential_constraints",
    "SELECT name, setting, unit, source FROM pg_settings WHERE source <> 'default'",
    "SELECT * FROM pg_stats WHERE tablename = 't'",
    "SELECT g AS day, (SELECT count(*) FROM t WHERE at::date = g::date) FROM generate_series('2026-01-01'::date, '2026-01-05', '1 day') g",
    "WITH RECURSIVE tree AS (SELECT 1 AS id, 0 AS depth UNION ALL SELECT id + 1, depth + 1 FROM tree WHERE depth < 3) SELECT * FROM tree",
    "SELECT t.id, x.n FROM t, LATERAL (SELECT count(*) AS n FROM u WHERE u.t_id = t.id) x ORDER BY 2 DESC NULLS LAST LIMIT 3",
    "SELECT a, grouping(a) FROM t GROUP BY CUBE (a)",
    "SELECT DISTINCT ON (a % 5) a % 5, id FROM t ORDER BY a % 5, id DESC",
    "SELECT * FROM v_deep WHERE a > 3 ORDER BY id LIMIT 5",
    "SELECT * FROM mat",
    "SELECT last_value, is_called FROM seq",
    "EXPLAIN (FORMAT json) SELECT * FROM t JOIN u ON u.t_id = t.id WHERE t.a > 3",
    "EXPLAIN ANALYZE SELECT count(*) FROM t",
    "EXPLAIN UPDATE t SET a = a + 1 WHERE id = 3",
    "EXPLAIN INSERT INTO t (a) VALUES (1)",
    "EXPLAIN DELETE FROM u USING t WHERE u.t_id = t.id",
    "SHOW server_version",
)
