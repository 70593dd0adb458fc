-- What the server knows of the names in a statement, one row each; only what did not come with the server
-- or with an extension can hide anything. $1-$3: functions, relations, types as "schema.name", with an
-- empty schema where none was written; $4 operators, $5 fields, $6 the types' bare names, $7 with how many
-- arguments each of $1 is called (-1: any).
-- 16384 is the first object id that is not made by initdb.
WITH extension_made AS MATERIALIZED (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
),
called AS (
    SELECT name, arguments FROM unnest($1::text[], $7::int[]) AS c (name, arguments)
),
wanted_functions AS (
    SELECT p.oid, n.nspname, p.proname, p.provolatile, p.prokind, p.prosrc, p.proconfig, l.lanname,
           EXISTS (SELECT FROM extension_made e
                   WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid) AS extension
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE EXISTS (
           SELECT FROM called c
           WHERE (c.name = n.nspname || '.' || p.proname
                  OR (c.name = '.' || p.proname AND pg_catalog.pg_function_is_visible(p.oid)))
             AND (p.oid < 16384 OR p.provariadic <> 0 OR c.arguments = -1
                  OR c.arguments BETWEEN p.pronargs - p.pronargdefaults AND p.pronargs))
       OR (p.proname = ANY ($5::text[]) AND p.pronargs = 1 AND p.oid >= 16384)
       OR p.oid IN (
           SELECT c.castfunc FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_type t ON t.oid = c.casttarget
           WHERE c.castfunc >= 16384 AND (c.castcontext = 'i' OR t.typname = ANY ($6::text[])))
       OR p.oid IN (
           SELECT o.oprcode FROM pg_catalog.pg_operator o
           WHERE o.oprname = ANY ($4::text[]) AND o.oid >= 16384)
)
SELECT 'function' AS what, nspname::text AS schema, proname::text AS name,
       provolatile::text AS nature, lanname::text AS language,
       oid < 16384 AS built_in, extension,
       CASE WHEN lanname = 'sql' AND provolatile <> 'v' AND proconfig IS NULL AND prokind = 'f'
            THEN prosrc END AS body
FROM wanted_functions
UNION ALL
SELECT 'relation', n.nspname, c.relname,
       CASE WHEN c.relkind = 'f' OR EXISTS (
           WITH RECURSIVE below AS (
               SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid
               UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below b ON i.inhparent = b.inhrelid
           )
           SELECT FROM below JOIN pg_catalog.pg_class k ON k.oid = below.inhrelid WHERE k.relkind = 'f'
       ) THEN 'f' ELSE c.relkind::text END,
       '', c.oid < 16384,
       EXISTS (SELECT FROM extension_made e
               WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid),
       CASE WHEN c.relkind = 'v' AND c.oid >= 16384 THEN pg_catalog.pg_get_viewdef(c.oid) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (n.nspname || '.' || c.relname = ANY ($2::text[]))
   OR ('.' || c.relname = ANY ($2::text[]) AND pg_catalog.pg_table_is_visible(c.oid))
UNION ALL
SELECT 'type', n.nspname, t.typname, t.typtype::text, '', t.oid < 16384,
       EXISTS (SELECT FROM extension_made e
               WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND e.objid = t.oid),
       (SELECT pg_catalog.string_agg(pg_catalog.pg_get_expr(k.conbin, 0), ') AND (')
        FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.conbin IS NOT NULL)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE (n.nspname || '.' || t.typname = ANY ($3::text[]))
   OR ('.' || t.typname = ANY ($3::text[]) AND pg_catalog.pg_type_is_visible(t.oid))
LIMIT 2000
