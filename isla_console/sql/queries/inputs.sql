-- Types whose input runs code that people made: a text that is taken for one of them runs it as soon as the statement
-- is parsed. A domain's check alone does not, it waits; but in an array or a row, the check is a part of the input, as
-- a range's comparison of its ends is. `used`: a column or an argument has the type, so that it need not be named.
WITH RECURSIVE made AS MATERIALIZED (
    SELECT d.objid AS type FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
),
checked AS (
    SELECT k.contypid AS type FROM pg_catalog.pg_constraint k
    WHERE k.contypid <> 0 AND EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid AND d.refobjid >= 16384
          AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
          AND d.refobjid NOT IN (SELECT m.type FROM made m))
),
domains AS (
    SELECT c.type FROM checked c
    UNION SELECT t.oid FROM pg_catalog.pg_type t JOIN domains o ON t.typbasetype = o.type
),
acting AS (
    SELECT r.rngtypid AS type, true AS acts FROM pg_catalog.pg_range r
    WHERE r.rngsubopc >= 16384 OR r.rngcanonical::pg_catalog.oid >= 16384
    UNION SELECT o.type, false FROM domains o
    UNION
    SELECT x.type, true FROM acting a CROSS JOIN LATERAL (
        SELECT t.oid AS type FROM pg_catalog.pg_type t WHERE t.typelem = a.type AND t.typlen = -1
        UNION ALL
        SELECT k.reltype FROM pg_catalog.pg_attribute f JOIN pg_catalog.pg_class k ON k.oid = f.attrelid
        WHERE f.atttypid = a.type AND NOT f.attisdropped AND k.reltype <> 0
        UNION ALL SELECT g.rngtypid FROM pg_catalog.pg_range g WHERE g.rngsubtype = a.type
        UNION ALL SELECT g.rngmultitypid FROM pg_catalog.pg_range g WHERE g.rngtypid = a.type
        UNION ALL SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typbasetype = a.type AND a.acts
    ) x
)
SELECT DISTINCT pg_catalog.ltrim(t.typname::pg_catalog.text, '_') AS name,
       EXISTS (SELECT FROM pg_catalog.pg_attribute f WHERE f.atttypid = t.oid AND f.attrelid >= 16384)
       OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid >= 16384 AND t.oid = ANY (p.proargtypes::pg_catalog.oid[]))
       OR EXISTS (SELECT FROM pg_catalog.pg_operator o WHERE o.oid >= 16384 AND t.oid IN (o.oprleft, o.oprright)) AS used
FROM acting a JOIN pg_catalog.pg_type t ON t.oid = a.type WHERE a.acts
ORDER BY 2 DESC, 1 LIMIT 2000
