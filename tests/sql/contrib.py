# ruff: noqa: E501 - a statement stands on its line
"""Hostile and harmless statements with the extensions that come with PostgreSQL, where they are installed."""

from __future__ import annotations

EXTENSIONS = [
    "dblink",
    "postgres_fdw",
    "lo",
    "pageinspect",
    "tablefunc",
    "hstore",
    "citext",
    "ltree",
    "pg_trgm",
    "pg_prewarm",
    "adminpack",
    "pg_stat_statements",
    "pgcrypto",
    "uuid-ossp",
    "unaccent",
    "intarray",
    "btree_gist",
    "pgstattuple",
    "pg_buffercache",
    "pg_freespacemap",
    "pgrowlocks",
    "file_fdw",
    "xml2",
    "fuzzystrmatch",
    "cube",
    "earthdistance",
    "seg",
    "isn",
    "sslinfo",
    "tsm_system_rows",
    "tsm_system_time",
    "amcheck",
    "old_snapshot",
    "pg_visibility",
    "pg_walinspect",
    "intagg",
    "dict_int",
    "dict_xsyn",
    "autoinc",
    "insert_username",
    "moddatetime",
    "refint",
    "tcn",
    "pg_surgery",
]

_ACTS = "$$BEGIN PERFORM pg_advisory_lock(4711); RETURN"
SCHEMA = f"""
CREATE FUNCTION p_boom(x int) RETURNS int STABLE LANGUAGE sql AS 'SELECT boom("x")';
CREATE FUNCTION "Quoted Fn"("Ä b" int) RETURNS int STABLE LANGUAGE sql AS 'SELECT boom("Quoted Fn"."Ä b")';
CREATE FUNCTION out_fn(IN a int, OUT b int, OUT c int) STABLE LANGUAGE sql AS 'SELECT boom(a), 2';
CREATE FUNCTION tab_fn(a int) RETURNS TABLE (id int, z int) STABLE LANGUAGE sql AS 'SELECT t.id, boom(a) FROM t WHERE t.id = tab_fn.a';
CREATE FUNCTION cte_fn(a int) RETURNS int STABLE LANGUAGE sql AS 'WITH a AS (SELECT 1 AS b) SELECT boom(a.b) FROM a';
CREATE FUNCTION rec_fn(a int) RETURNS int STABLE LANGUAGE sql AS 'SELECT CASE WHEN a > 0 THEN rec_fn(a - 1) ELSE boom(1) END';
CREATE FUNCTION empty_fn() RETURNS void STABLE LANGUAGE sql AS '';
CREATE FUNCTION ok_fn(a int) RETURNS int STABLE LANGUAGE sql AS 'SELECT a + t.a FROM t WHERE t.id = a LIMIT 1';
CREATE FUNCTION ok_vol() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t';
CREATE FUNCTION ext_fn() RETURNS int STABLE LANGUAGE plpgsql AS {_ACTS} 1; END$$;
ALTER EXTENSION hstore ADD FUNCTION ext_fn();
CREATE FUNCTION pg_stat_statements_x() RETURNS int LANGUAGE plpgsql AS {_ACTS} 1; END$$;
CREATE FUNCTION own_internal() RETURNS int LANGUAGE internal STABLE AS 'pg_backend_pid';
CREATE FUNCTION own_kill(int) RETURNS void LANGUAGE internal STABLE STRICT AS 'pg_advisory_lock_int8';
CREATE SCHEMA evil; 
CREATE FUNCTION evil.lower(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS {_ACTS} $1; END$$;
CREATE OPERATOR evil.+ (LEFTARG = int, RIGHTARG = int, FUNCTION = boom_sum);
CREATE FUNCTION path_fn(a int) RETURNS int STABLE LANGUAGE sql SET search_path = evil, pg_catalog AS 'SELECT a + 1';
CREATE FUNCTION path_fn2(a text) RETURNS text STABLE LANGUAGE sql SET search_path = evil, pg_catalog AS 'SELECT lower(a)';
CREATE TABLE exprs (id int, a int, g int GENERATED ALWAYS AS (a + 1) STORED);
INSERT INTO exprs (id, a) VALUES (1, 2);
CREATE TABLE ph (k int) PARTITION BY LIST (k);
CREATE TABLE ph1 PARTITION OF ph FOR VALUES IN (1);
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE ph2 PARTITION OF ph FOR VALUES IN (2) SERVER files OPTIONS (filename '/etc/hostname');
CREATE TABLE parent (a text); CREATE FOREIGN TABLE child () INHERITS (parent) SERVER files OPTIONS (filename '/etc/hostname');
CREATE VIEW vforeign AS SELECT * FROM child;
CREATE MATERIALIZED VIEW mboom AS SELECT boom(1) AS b WITH NO DATA;
CREATE TYPE tagged AS (d boom_dd[]);
CREATE DOMAIN dom_tagged AS tagged;
CREATE TYPE drange AS RANGE (subtype = int4, subtype_opclass = mine_ops);
CREATE FUNCTION mv_in(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT boom($1)';
CREATE AGGREGATE moving (int) (sfunc = int4pl, stype = int, initcond = '0', msfunc = mv_in, minvfunc = mv_in, mstype = int, minitcond = '0');
CREATE AGGREGATE par (int) (sfunc = int4pl, stype = int, combinefunc = boom_sum, parallel = safe);
CREATE FUNCTION cast_boom(pair) RETURNS text IMMUTABLE LANGUAGE plpgsql AS {_ACTS} 'x'; END$$;
CREATE CAST (pair AS text) WITH FUNCTION cast_boom(pair) AS ASSIGNMENT;
CREATE CAST (pair AS jsonb) WITH INOUT;
CREATE FUNCTION pair_json(pair) RETURNS jsonb IMMUTABLE LANGUAGE sql AS 'SELECT to_jsonb(boom(1))';
CREATE VIEW vrec AS SELECT rec_fn(2) AS r;
CREATE VIEW vfn AS SELECT * FROM tab_fn(1);
"""

EXPRESSIONS = (
    "p_boom(1)",
    '"Quoted Fn"(1)',
    "(SELECT b FROM out_fn(1))",
    "(SELECT z FROM tab_fn(1))",
    "cte_fn(1)",
    "rec_fn(1)",
    "ext_fn()",
    "pg_stat_statements_x()",
    "own_kill(4711)::text::int",
    "path_fn(1)",
    "length(path_fn2('A'))",
    "(SELECT count(*)::int FROM ph)",
    "(SELECT count(*)::int FROM parent)",
    "(SELECT count(*)::int FROM vforeign)",
    "(SELECT r FROM vrec)",
    "(SELECT z FROM vfn)",
    "(SELECT sum(moving(a) OVER (ORDER BY id ROWS 1 PRECEDING))::int FROM t)",
    "(SELECT moving(a) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM t LIMIT 1)",
    "(SELECT par(a) FROM t)",
    "length((ROW(1,2)::pair)::text)",
    "('{\"d\": [1]}'::jsonb IS NOT NULL AND (jsonb_populate_record(NULL::tagged, '{\"d\": [1]}')).d IS NOT NULL)::int",
    "(int4range(1,2) IS NOT NULL AND drange(1,5) @> 3)::int",
    "(drange(1,5) && drange(2,3))::int",
    "(SELECT ((dblink('dbname=x','select 1') ).dblink).x)",
    "length(dblink_connect('x'))",
    "lo_create(0)::int",
    "(SELECT count(*)::int FROM dblink('host=x','select 1') AS x(a int))",
    "pg_prewarm('t')::int",
    "length(pg_file_write('x','y',false)::text)",
    "length(get_raw_page('t',0)::text)",
    "(SELECT count(*)::int FROM crosstab('select boom(1)::text, boom(1)::text, 1') AS c(a text, b int))",
    "(SELECT count(*)::int FROM connectby('t','id','a','1',0) AS c(a int,b int,c int))",
    "pg_stat_statements_reset()::text::int",
    "(SELECT count(*)::int FROM postgres_fdw_disconnect_all())",
    "length(xpath_table('id','b','t','/a','1=boom(1)')::text)",
    "'1'::text::boom_d",
    "(evil.lower('A')='a')::int",
    "(1 OPERATOR(evil.+) 2)",
    "(SELECT count(*)::int FROM pgrowlocks('t'))",
    "(SELECT lo_get(4242)::text::int)",
    "(SELECT b::int FROM mboom)",
    "((ARRAY[ROW(ARRAY[1])::tagged])[1].d)[1]",
    "(ROW(ROW(ARRAY[1])::tagged)).f1::text::int",
    "(SELECT count(*)::int FROM pg_logical_slot_peek_changes('x',NULL,NULL))",
    "pg_replication_slot_advance('x','0/0')::text::int",
    "length(pg_ls_dir('.')::text)",
    "heap_force_kill('t'::regclass, ARRAY['(0,1)'::tid])::text::int",
    "pg_truncate_visibility_map('t')::text::int",
    "(SELECT count(*)::int FROM verify_heapam('t'))",
)
PLACES = (
    "SELECT {}",
    "SELECT a FROM t WHERE {} IS NOT NULL LIMIT 2",
    "EXPLAIN ANALYZE SELECT {}",
    "SELECT * FROM (SELECT {} AS q) z ORDER BY q",
)

READS = (
    "SELECT ok_fn(1)",
    "SELECT ok_vol()",
    "SELECT empty_fn()",
    "SELECT * FROM exprs",
    "SELECT * FROM exprs WHERE a = 2",
    "SELECT similarity('a','b')",
    "SELECT 'a=>1'::hstore -> 'a'",
    "SELECT 'A'::citext = 'a'",
    "SELECT '1.2'::ltree @> '1.2.3'",
    "SELECT gen_random_bytes(4)",
    "SELECT uuid_generate_v4()",
    "SELECT unaccent('é')",
    "SELECT levenshtein('a','b')",
    "SELECT * FROM pg_buffercache LIMIT 1",
    "SELECT * FROM pgstattuple('t')",
    "SELECT * FROM pg_freespace('t')",
    "SELECT '(1,2)'::cube",
    "SELECT earth_distance(ll_to_earth(0,0),ll_to_earth(1,1))",
    "SELECT * FROM t TABLESAMPLE system_rows(3)",
    "SELECT isbn('0-306-40615-2')",
    "SELECT * FROM pg_visibility_map_summary('t')",
    "SELECT 'x' % 'y'",
    "SELECT sort(ARRAY[2,1])",
    "SELECT digest('a','sha256')",
    "SELECT ssl_is_used()",
)
