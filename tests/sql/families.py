# ruff: noqa: E501 - a statement stands on its line
"""Hostile statements by family: each way to reach a function, in each place where an expression may stand.

What acts takes an advisory lock, which a read-only transaction allows and no rollback undoes: whoever looks
from outside sees it.
"""

from __future__ import annotations

_LOCK = "PERFORM pg_advisory_lock(4711)"
SCHEMA = f"""
CREATE FUNCTION boom(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN {_LOCK}; RETURN $1; END$$;
CREATE FUNCTION boom_bool(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT boom($1) = $1';
CREATE FUNCTION boom_named(n int) RETURNS int STABLE LANGUAGE sql AS 'SELECT boom(n) FROM t WHERE id = n';
CREATE FUNCTION boom_shadowed(id int) RETURNS int STABLE LANGUAGE sql AS 'SELECT (id).boom FROM t LIMIT 1';
CREATE FUNCTION boom_atomic(n int) RETURNS int STABLE LANGUAGE sql BEGIN ATOMIC SELECT boom(n); END;
CREATE FUNCTION boom_return(n int) RETURNS int STABLE RETURN boom(n);
CREATE FUNCTION boom_path(n int) RETURNS int STABLE LANGUAGE sql SET search_path = public AS 'SELECT boom(n)';
CREATE FUNCTION boom_setting(n int) RETURNS int STABLE LANGUAGE sql SET work_mem = '1MB' AS 'SELECT n';
CREATE FUNCTION boom_two(n int) RETURNS int STABLE LANGUAGE sql AS 'SELECT boom(n); SELECT n';
CREATE FUNCTION boom_default(a int, b int DEFAULT boom(1)) RETURNS int STABLE LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION boom_any(anyelement) RETURNS anyelement STABLE LANGUAGE sql AS 'SELECT boom(1); SELECT $1';
CREATE FUNCTION boom_set(n int) RETURNS SETOF int STABLE LANGUAGE sql AS 'SELECT boom(n)';
CREATE FUNCTION boom_writes(n int) RETURNS int LANGUAGE sql AS 'INSERT INTO t (a) VALUES (n) RETURNING a';
CREATE FUNCTION boom_of_t(t) RETURNS int STABLE LANGUAGE sql AS 'SELECT boom(1)';
CREATE FUNCTION boom_var(VARIADIC int[]) RETURNS int STABLE LANGUAGE sql AS 'SELECT boom(1)';
CREATE FUNCTION boom_sum(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT boom($2)';
CREATE AGGREGATE boom_agg (int) (sfunc = boom_sum, stype = int, initcond = '0');
CREATE AGGREGATE boom_final (int) (sfunc = int4pl, stype = int, initcond = '0', finalfunc = boom);
CREATE OPERATOR !!! (RIGHTARG = int, FUNCTION = boom);
CREATE FUNCTION boom_op(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT boom($1) = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = boom_op);
CREATE DOMAIN boom_d AS int CHECK (boom(VALUE) = VALUE);
CREATE DOMAIN boom_dd AS boom_d;
CREATE TYPE boom_pair AS (x boom_dd, y int);
CREATE TYPE boom_nested AS (p boom_pair, z int);
CREATE DOMAIN boom_array AS int[] CHECK (boom(1) = 1);
CREATE TYPE shade AS ENUM ('a', 'b', 'c');
CREATE FUNCTION shade_lt(shade, shade) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN {_LOCK}; RETURN $1::text < $2::text; END$$;
CREATE FUNCTION shade_eq(shade, shade) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN {_LOCK}; RETURN $1::text = $2::text; END$$;
CREATE FUNCTION shade_cmp(shade, shade) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN {_LOCK}; RETURN CASE WHEN $1::text < $2::text THEN -1 WHEN $1::text = $2::text THEN 0 ELSE 1 END; END$$;
CREATE FUNCTION shade_json(shade) RETURNS json IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN {_LOCK}; RETURN to_json($1::text); END$$;
CREATE CAST (shade AS json) WITH FUNCTION shade_json(shade);
CREATE OPERATOR < (LEFTARG = shade, RIGHTARG = shade, FUNCTION = shade_lt);
CREATE OPERATOR = (LEFTARG = shade, RIGHTARG = shade, FUNCTION = shade_eq);
CREATE OPERATOR CLASS shade_ops DEFAULT FOR TYPE shade USING btree AS
  OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 shade_cmp(shade, shade);
CREATE TYPE box2 AS (v int);
CREATE FUNCTION box2_lt(box2, box2) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT boom($1.v) < $2.v';
CREATE OPERATOR <<< (LEFTARG = box2, RIGHTARG = box2, FUNCTION = box2_lt);
CREATE FUNCTION int_cmp(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN {_LOCK}; RETURN sign($1 - $2); END$$;
CREATE OPERATOR CLASS mine_ops FOR TYPE int USING btree AS OPERATOR 1 ===, FUNCTION 1 int_cmp(int, int);
CREATE FUNCTION boom_diff(float8, float8) RETURNS float8 IMMUTABLE LANGUAGE plpgsql AS
  $$BEGIN {_LOCK}; RETURN $1 - $2; END$$;
CREATE TYPE boom_range AS RANGE (subtype = float8, subtype_diff = boom_diff);
CREATE TYPE shade_range AS RANGE (subtype = shade);
CREATE TABLE hues (id int, h shade, p boom_pair);
INSERT INTO hues SELECT i, (ARRAY['a', 'b', 'c'])[1 + i % 3]::shade, NULL FROM generate_series(1, 6) i;
CREATE VIEW boom_v AS SELECT boom(id) AS b FROM t;
CREATE VIEW boom_vv AS SELECT b FROM boom_v;
CREATE VIEW boom_attribute AS SELECT x.boom FROM generate_series(1, 2) x;
CREATE VIEW boom_locks AS SELECT id FROM t FOR UPDATE;
CREATE TABLE guarded (id int, a int);
INSERT INTO guarded VALUES (1, 1), (2, 2);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY looked ON guarded USING (boom(id) = id);
CREATE TABLE made (id int DEFAULT boom(1), a int);
CREATE SCHEMA paths;
CREATE FUNCTION helper(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION paths.helper(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN {_LOCK}; RETURN 1; END$$;
CREATE FUNCTION path_inner() RETURNS int STABLE LANGUAGE sql AS 'SELECT helper(1)';
CREATE FUNCTION path_outer() RETURNS int STABLE LANGUAGE sql SET search_path = paths, public AS 'SELECT path_inner()';
CREATE FUNCTION by_owner() RETURNS int STABLE SECURITY DEFINER LANGUAGE sql AS 'SELECT helper(1)';
CREATE TYPE c2 AS ENUM ('a');
CREATE FUNCTION to_c2(int) RETURNS c2 IMMUTABLE LANGUAGE plpgsql AS $$BEGIN {_LOCK}; RETURN 'a'; END$$;
CREATE CAST (int AS c2) WITH FUNCTION to_c2(int) AS ASSIGNMENT;
CREATE FUNCTION fc() RETURNS c2 STABLE LANGUAGE sql AS 'SELECT 1';
CREATE TYPE comp AS (x int);
CREATE FUNCTION act(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION act(text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN {_LOCK}; RETURN 1; END$$;
CREATE FUNCTION dup(dup comp, x text) RETURNS int STABLE LANGUAGE sql AS 'SELECT act(dup.x)';
CREATE FUNCTION vol_eq(int, int) RETURNS bool VOLATILE LANGUAGE plpgsql AS $$BEGIN {_LOCK}; RETURN $1 = $2; END$$;
CREATE OPERATOR ==== (LEFTARG = int, RIGHTARG = int, FUNCTION = vol_eq, RESTRICT = eqsel);
CREATE TABLE sorted_top (a int, b int) PARTITION BY LIST (a);
CREATE TABLE sorted_mid PARTITION OF sorted_top FOR VALUES IN (1) PARTITION BY RANGE (b mine_ops);
CREATE TABLE sorted_one PARTITION OF sorted_mid FOR VALUES FROM (1) TO (5);
CREATE RULE boom_rule AS ON INSERT TO made DO ALSO SELECT boom(1);
"""

POISON = f"""
CREATE FUNCTION oid_eq(int, oid) RETURNS bool IMMUTABLE LANGUAGE sql SET search_path = public AS 'SELECT $1 = $2::int';
CREATE FUNCTION oid_cmp(int, oid) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN {_LOCK}; RETURN 0; END$$;
CREATE OPERATOR =# (LEFTARG = int, RIGHTARG = oid, FUNCTION = oid_eq);
ALTER OPERATOR FAMILY integer_ops USING btree ADD OPERATOR 3 =# (int4, oid), FUNCTION 1 (int4, oid) oid_cmp(int, oid);
CREATE FUNCTION cid_cmp(cid, cid) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN {_LOCK}; RETURN 0; END$$;
CREATE FUNCTION cid_lt(cid, cid) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$BEGIN {_LOCK}; RETURN true; END$$;
CREATE OPERATOR < (LEFTARG = cid, RIGHTARG = cid, FUNCTION = cid_lt);
CREATE OPERATOR CLASS cid_ops DEFAULT FOR TYPE cid USING btree AS OPERATOR 1 <, FUNCTION 1 cid_cmp(cid, cid);
CREATE CAST (xid AS cid) WITHOUT FUNCTION;
"""
"""Members of one's own in a family of PostgreSQL's, and an operator class that a binary cast reaches."""
POISONED = (
    "SELECT id FROM t WHERE id =# 5::oid",
    "SELECT ARRAY['1'::xid] < ARRAY['2'::xid]",
    "SELECT id FROM t ORDER BY id",
)

EXPRESSIONS = (
    "boom(1)",
    "(1).boom",
    "(SELECT x.boom FROM generate_series(1, 1) x)",
    "(SELECT t.boom_of_t FROM t LIMIT 1)",
    "(SELECT (t).boom_of_t FROM t LIMIT 1)",
    "boom_named(1)",
    "boom_shadowed(1)",
    "boom_atomic(1)",
    "boom_return(1)",
    "boom_path(1)",
    "boom_setting(1)",
    "boom_two(1)",
    "boom_default(1)",
    "boom_any(1)",
    "boom_set(1)",
    "boom_writes(1)",
    "boom_var(1, 2)",
    "boom_bool(1)::int",
    "!!! 1",
    "(1 === 1)::int",
    "(1 OPERATOR(public.===) 1)::int",
    "(1 = ANY (ARRAY[boom(1)]))::int",
    "1::boom_d",
    "1::boom_dd",
    "'1'::boom_dd",
    "CAST(1 AS boom_dd)",
    "(ROW(1, 2)::boom_pair).y",
    "(ROW(ROW(1, 2), 3)::boom_nested).z",
    "(ARRAY[1]::boom_dd[])[1]",
    "(ARRAY[1]::boom_array)[1]",
    "('{1}'::text::boom_array)[1]",
    "length('(1,2)'::text::boom_pair::text)",
    "(jsonb_populate_record(NULL::boom_pair, '{\"x\": 1}')).y",
    "(SELECT y FROM jsonb_to_recordset('[{\"x\": 1}]') AS r(x boom_dd, y int))",
    "pg_input_is_valid('1', 'boom_d')::int",
    "length(query_to_xml('SELECT boom(1)', true, false, '')::text)",
    "length(table_to_xml('boom_v', true, false, '')::text)",
    "length(database_to_xml(true, false, '')::text)",
    "(SELECT boom_agg(a) FROM t)",
    "(SELECT boom_final(a) FROM t)",
    "(SELECT boom_agg(a) OVER () FROM t LIMIT 1)",
    "(SELECT count(b) FROM boom_v)::int",
    "(SELECT max(b) FROM boom_vv)",
    "(SELECT max(boom) FROM boom_attribute)",
    "(SELECT count(*) FROM boom_locks)::int",
    "(SELECT max(a) FROM guarded)",
    "(SELECT id FROM hues ORDER BY h LIMIT 1)",
    "(SELECT count(DISTINCT h) FROM hues)::int",
    "(SELECT count(*) FROM (SELECT DISTINCT h FROM hues) x)::int",
    "(SELECT count(*) FROM (SELECT h FROM hues GROUP BY h) x)::int",
    "(SELECT count(*) FROM (SELECT h FROM hues UNION SELECT h FROM hues) x)::int",
    "(SELECT count(*) FROM (SELECT h FROM hues EXCEPT SELECT h FROM hues) x)::int",
    "(SELECT count(*) FROM hues WHERE h IN ('a', 'b'))::int",
    "(SELECT count(*) FROM hues WHERE h BETWEEN 'a' AND 'b')::int",
    "(SELECT count(*) FROM hues WHERE CASE h WHEN 'a' THEN true ELSE false END)::int",
    "(SELECT count(*) FROM hues WHERE h IS DISTINCT FROM 'a')::int",
    "(SELECT count(*) FROM hues WHERE nullif(h, 'a') IS NULL)::int",
    "(SELECT count(*) FROM hues WHERE (h, id) < ('b', 1))::int",
    "length(greatest('a'::shade, 'b'::shade)::text)",
    "(SELECT length(min(h)::text) FROM hues)",
    "(SELECT rank() OVER (ORDER BY h) FROM hues LIMIT 1)::int",
    "(SELECT count(*) FROM hues x JOIN hues y ON x.h = y.h)::int",
    "(SELECT count(*) FROM hues x JOIN hues y USING (h))::int",
    "(SELECT count(*) FROM hues x NATURAL JOIN hues y)::int",
    "(ARRAY['a'::shade] < ARRAY['b'::shade])::int",
    "(ROW('a'::shade) < ROW('b'::shade))::int",
    "array_position(ARRAY['a'::shade], 'a'::shade)",
    "length(to_json('a'::shade)::text)",
    "length(json_build_object('k', 'a'::shade)::text)",
    "(SELECT length(json_agg(h)::text) FROM hues)",
    "(SELECT length(row_to_json(hues)::text) FROM hues LIMIT 1)",
    "(SELECT length(jsonb_agg(h)::text) FROM hues)",
    "(shade_range('a', 'b') @> 'a'::shade)::int",
    "(ROW(1)::box2 <<< ROW(2)::box2)::int",
    "(SELECT sum(x) FROM unnest(ARRAY[1, 2]) x WHERE x === 1)::int",
    "pg_advisory_lock(1)::text::int",
    "(4711).pg_advisory_lock::text::int",
    "(SELECT x.pg_advisory_lock::text FROM generate_series(1, 1) x)::int",
    "pg_try_advisory_lock_shared(1)::int",
    "pg_terminate_backend(2147483647)::int",
    "(2147483647).pg_cancel_backend::int",
    "length(set_config('isla.x', '1', false))",
    "length(pg_read_file('PG_VERSION'))",
    "pg_stat_reset()::text::int",
    "length(pg_logical_emit_message(false, 'a', 'b')::text)",
    "length(pg_switch_wal()::text)",
    "length(pg_create_restore_point('x')::text)",
    "length(lo_import('/etc/hostname')::text)",
    "length(txid_current()::text)",
    "length(pg_export_snapshot())",
    "pg_notify('c', 'x')::text::int",
    "nextval('seq')::int",
    "setval('seq', 1)::int",
    "lo_unlink(4242)",
    "length(ts_rewrite('a', 'SELECT boom(1)::text::tsquery, ''b''::tsquery')::text)",
    "(SELECT count(*) FROM ts_stat('SELECT boom(1)::text::tsvector'))::int",
)
"""Each reaches something that acts, or may; as an int."""

PLACES = (
    "SELECT {}",
    "SELECT a FROM t WHERE {} IS NOT NULL",
    "SELECT a FROM t ORDER BY {}, a",
    "WITH x AS (SELECT {} AS v) SELECT v FROM x",
    "SELECT coalesce(NULL, {})",
    "SELECT (SELECT {} UNION ALL SELECT 2 LIMIT 1)",
    "SELECT a FROM t LIMIT ({})",
    "SELECT CASE WHEN {} > 0 THEN 1 END",
    "VALUES ({})",
    "EXPLAIN ANALYZE SELECT {}",
)

STATEMENTS: tuple[str, ...] = tuple(place.format(one) for one in EXPRESSIONS for place in PLACES)
"""Every expression in every place: none may run."""

MORE: tuple[str, ...] = (
    "SELECT * FROM boom_set(1)",
    "SELECT * FROM ROWS FROM (boom_set(1), generate_series(1, 2)) r",
    "SELECT * FROM t TABLESAMPLE bernoulli (boom(1))",
    "SELECT * FROM t JOIN u ON boom(t.id) = u.id",
    "SELECT count(*) FROM t GROUP BY a HAVING boom(a) = a",
    "SELECT sum(a) OVER (ORDER BY boom(a)) FROM t",
    "SELECT sum(a) FILTER (WHERE boom(a) = a) FROM t",
    "SELECT a FROM t ORDER BY a USING ===",
    "SELECT * FROM json_to_record('{\"x\": 1}') AS r(x boom_dd)",
    "SELECT * FROM boom_locks",
    "SELECT * FROM guarded",
    "TABLE boom_vv",
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT boom(i) + 1 FROM n WHERE i < 3) SELECT * FROM n",
    "SELECT DISTINCT ON (h) id FROM hues ORDER BY h",
    "SELECT array_agg(id ORDER BY h) FROM hues",
    "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY h) FROM hues",
    "SELECT h, count(*) FROM hues GROUP BY ROLLUP (h)",
    "EXPLAIN SELECT boom(1)",
    "EXPLAIN SELECT boom_bool(1)",
    "EXPLAIN SELECT * FROM t WHERE id = boom_atomic(1)",
    "EXPLAIN (COSTS off) UPDATE t SET a = boom(1)",
    "EXPLAIN INSERT INTO t (a) SELECT boom(1)",
    "EXPLAIN INSERT INTO made (a) VALUES (1)",
    "EXPLAIN (ANALYZE) SELECT * FROM boom_v",
    "SELECT " + ", ".join(f"abs({i})" for i in range(3000)) + ", boom(1)",
    # Found by somebody who read the guard to break it.
    "/* /* */ SHOW */ SELECT boom(1)",
    "--\rSELECT boom(1) AS\n show",
    "SELECT '(1,2)'::boom_pair",
    "SELECT '{1}'::boom_dd[]",
    "SELECT '[a,b]'::shade_range",
    "SELECT * FROM hues WHERE p = '(1,2)'",
    "SELECT path_outer()",
    "SELECT by_owner()",
    "SELECT fc()",
    "SELECT dup(ROW(1)::comp, 'a')",
    "SELECT array_to_json(most_common_vals) FROM pg_stats WHERE tablename = 'hues'",
    "SELECT most_common_vals FROM pg_stats WHERE tablename = 'hues' ORDER BY 1",
    "SELECT pg_get_partition_constraintdef('hues'::regclass)",
    "EXPLAIN SELECT * FROM t WHERE a ==== 1",
    "SELECT * FROM sorted_top",
    "SELECT * FROM " + "(SELECT * FROM " * 30 + "boom_v" + ") x" * 30,
)
