-- What the catalogue says of the numbers that a tree reaches, one row each. $1 functions, $2 operators,
-- $3 operator families, $4 types, $5 relations; $6: whether rules other than a view's count too.
-- A row names what is reached further (functions, operators, types, relations) and has the trees to read.
-- 2277 is anyarray: of what type its values are, only running tells, so that all types count.
-- What initdb made (below 16384) is trusted to be what it was, but not what others attached to it.
WITH extension_made AS MATERIALIZED (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
),
family_parts AS MATERIALIZED (
    SELECT f.family,
           ARRAY(SELECT a.amproc::pg_catalog.oid::pg_catalog.int8 FROM pg_catalog.pg_amproc a
                 WHERE a.amprocfamily = f.family) AS functions,
           ARRAY(SELECT o.amopopr::pg_catalog.int8 FROM pg_catalog.pg_amop o
                 WHERE o.amopfamily = f.family) AS operators
    FROM (SELECT opf.oid AS family FROM pg_catalog.pg_opfamily opf WHERE opf.oid >= 16384
          UNION SELECT opc.opcfamily FROM pg_catalog.pg_opclass opc WHERE opc.oid >= 16384
          UNION SELECT p.amprocfamily FROM pg_catalog.pg_amproc p WHERE p.oid >= 16384
          UNION SELECT o.amopfamily FROM pg_catalog.pg_amop o WHERE o.oid >= 16384) f
)
SELECT 'function' AS what, p.oid::pg_catalog.int8 AS oid, n.nspname::pg_catalog.text AS schema,
       p.proname::pg_catalog.text AS name, p.provolatile::pg_catalog.text AS nature,
       p.prokind::pg_catalog.text AS kind, l.lanname::pg_catalog.text AS language,
       p.oid < 16384 AS built_in,
       EXISTS (SELECT FROM extension_made e WHERE e.objid = p.oid
               AND e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass) AS extension,
       CASE WHEN p.oid >= 16384 THEN pg_catalog.array_remove(
           ARRAY[p.proargdefaults::pg_catalog.text, p.prosqlbody::pg_catalog.text], NULL) ELSE '{}' END AS trees,
       CASE WHEN p.oid >= 16384 THEN ARRAY[
           p.prosupport::pg_catalog.oid::pg_catalog.int8, g.aggtransfn::pg_catalog.oid::pg_catalog.int8,
           g.aggfinalfn::pg_catalog.oid::pg_catalog.int8, g.aggcombinefn::pg_catalog.oid::pg_catalog.int8,
           g.aggserialfn::pg_catalog.oid::pg_catalog.int8, g.aggdeserialfn::pg_catalog.oid::pg_catalog.int8,
           g.aggmtransfn::pg_catalog.oid::pg_catalog.int8, g.aggminvtransfn::pg_catalog.oid::pg_catalog.int8,
           g.aggmfinalfn::pg_catalog.oid::pg_catalog.int8]
           -- What a body gives is cast to what the function returns.
           || ARRAY(SELECT c.castfunc::pg_catalog.int8 FROM pg_catalog.pg_cast c WHERE c.castfunc >= 16384 AND l.lanname = 'sql'
                    AND c.castcontext <> 'e' AND (c.casttarget = p.prorettype OR c.casttarget = ANY (p.proallargtypes)))
       ELSE '{}' END AS functions,
       CASE WHEN g.aggsortop <> 0 THEN ARRAY[g.aggsortop::pg_catalog.int8] ELSE '{}' END AS operators,
       CASE WHEN p.oid >= 16384 THEN
           ARRAY[p.prorettype::pg_catalog.int8, g.aggtranstype::pg_catalog.int8, g.aggmtranstype::pg_catalog.int8]
           || COALESCE(p.proallargtypes::pg_catalog.int8[], p.proargtypes::pg_catalog.oid[]::pg_catalog.int8[])
       ELSE '{}' END AS types,
       '{}'::pg_catalog.int8[] AS relations,
       p.prosrc AS body,
       p.proconfig AS settings, p.prosecdef AS is_definer,
       ARRAY(SELECT CASE WHEN a.typtype <> 'p' THEN pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(a.typname) END
             FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) WITH ORDINALITY x (type, place)
             JOIN pg_catalog.pg_type a ON a.oid = x.type
             JOIN pg_catalog.pg_namespace s ON s.oid = a.typnamespace ORDER BY x.place) AS argument_types,
       CASE WHEN p.proargmodes IS NULL THEN p.proargnames ELSE
           ARRAY(SELECT p.proargnames[i] FROM pg_catalog.generate_subscripts(p.proargmodes, 1) i
                 WHERE p.proargmodes[i] IN ('i', 'b', 'v') ORDER BY i) END AS argument_names
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_aggregate g ON g.aggfnoid = p.oid
WHERE p.oid = ANY ($1::pg_catalog.oid[])
UNION ALL
SELECT 'operator', o.oid::pg_catalog.int8, '', o.oprname::pg_catalog.text, '', '', '', o.oid < 16384, false, '{}',
       CASE WHEN o.oid >= 16384 THEN ARRAY[
           o.oprcode::pg_catalog.oid::pg_catalog.int8, o.oprrest::pg_catalog.oid::pg_catalog.int8,
           o.oprjoin::pg_catalog.oid::pg_catalog.int8] ELSE '{}' END
       || COALESCE((SELECT pg_catalog.array_agg(f) FROM pg_catalog.pg_amop a
                    JOIN family_parts fp ON fp.family = a.amopfamily, pg_catalog.unnest(fp.functions) f
                    WHERE a.amopopr = o.oid), '{}'),
       CASE WHEN o.oid >= 16384 THEN ARRAY[o.oprcom::pg_catalog.int8, o.oprnegate::pg_catalog.int8] ELSE '{}' END
       || COALESCE((SELECT pg_catalog.array_agg(f) FROM pg_catalog.pg_amop a
                    JOIN family_parts fp ON fp.family = a.amopfamily, pg_catalog.unnest(fp.operators) f
                    WHERE a.amopopr = o.oid), '{}'),
       CASE WHEN o.oid >= 16384 THEN ARRAY[
           o.oprleft::pg_catalog.int8, o.oprright::pg_catalog.int8, o.oprresult::pg_catalog.int8] ELSE '{}' END,
       '{}', NULL, NULL, false, NULL, NULL
FROM pg_catalog.pg_operator o WHERE o.oid = ANY ($2::pg_catalog.oid[])
UNION ALL
SELECT 'family', f.family::pg_catalog.int8, '', '', '', '', '', false, false, '{}', f.functions, f.operators,
       '{}', '{}', NULL, NULL, false, NULL, NULL
FROM family_parts f WHERE f.family = ANY ($3::pg_catalog.oid[])
UNION ALL
SELECT 'type', t.oid::pg_catalog.int8, n.nspname, t.typname, t.typtype::pg_catalog.text, '', '', t.oid < 16384,
       EXISTS (SELECT FROM extension_made e WHERE e.objid = t.oid
               AND e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass),
       CASE WHEN t.typtype = 'd' THEN ARRAY(SELECT k.conbin::pg_catalog.text FROM pg_catalog.pg_constraint k
            WHERE k.contypid = t.oid AND k.conbin IS NOT NULL) ELSE '{}' END,
       CASE WHEN t.oid >= 16384 THEN ARRAY(SELECT f FROM pg_catalog.unnest(ARRAY[
           t.typinput::pg_catalog.oid::pg_catalog.int8, t.typoutput::pg_catalog.oid::pg_catalog.int8,
           t.typreceive::pg_catalog.oid::pg_catalog.int8, t.typsend::pg_catalog.oid::pg_catalog.int8,
           t.typmodin::pg_catalog.oid::pg_catalog.int8, t.typmodout::pg_catalog.oid::pg_catalog.int8,
           t.typsubscript::pg_catalog.oid::pg_catalog.int8,
           r.rngcanonical::pg_catalog.oid::pg_catalog.int8, r.rngsubdiff::pg_catalog.oid::pg_catalog.int8]) f
           WHERE f >= 16384) ELSE '{}' END
       || COALESCE((SELECT pg_catalog.array_agg(f) FROM pg_catalog.pg_opclass c
                    JOIN family_parts fp ON fp.family = c.opcfamily, pg_catalog.unnest(fp.functions) f
                    WHERE (c.opcdefault AND c.oid >= 16384 AND (c.opcintype = t.oid OR t.oid = 2277
                        OR EXISTS (SELECT FROM pg_catalog.pg_cast b WHERE b.castsource = t.oid
                                   AND b.casttarget = c.opcintype AND b.castmethod = 'b')))
                       OR c.oid = r.rngsubopc), '{}')
       || ARRAY(SELECT c.castfunc::pg_catalog.int8 FROM pg_catalog.pg_cast c
                WHERE (c.castsource = t.oid OR t.oid = 2277) AND c.castfunc >= 16384
                  AND c.casttarget IN ('pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.jsonb'::pg_catalog.regtype)),
       COALESCE((SELECT pg_catalog.array_agg(f) FROM pg_catalog.pg_opclass c
                 JOIN family_parts fp ON fp.family = c.opcfamily, pg_catalog.unnest(fp.operators) f
                 WHERE (c.opcdefault AND c.oid >= 16384 AND (c.opcintype = t.oid OR t.oid = 2277
                        OR EXISTS (SELECT FROM pg_catalog.pg_cast b WHERE b.castsource = t.oid
                                   AND b.casttarget = c.opcintype AND b.castmethod = 'b')))
                       OR c.oid = r.rngsubopc), '{}'),
       ARRAY[t.typbasetype::pg_catalog.int8, t.typelem::pg_catalog.int8, r.rngsubtype::pg_catalog.int8,
             m.rngtypid::pg_catalog.int8]
       || CASE WHEN t.oid >= 16384 AND t.typtype = 'c' THEN ARRAY(
              SELECT a.atttypid::pg_catalog.int8 FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) ELSE '{}' END,
       '{}', NULL, NULL, false, NULL, NULL
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid
WHERE t.oid = ANY ($4::pg_catalog.oid[])
UNION ALL
SELECT 'relation', c.oid::pg_catalog.int8, n.nspname, c.relname,
       CASE WHEN c.relkind = 'f' OR EXISTS (
           WITH RECURSIVE below AS (
               SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid
               UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below b ON i.inhparent = b.inhrelid
           )
           SELECT FROM below JOIN pg_catalog.pg_class k ON k.oid = below.inhrelid WHERE k.relkind = 'f'
       ) THEN 'f' ELSE c.relkind::pg_catalog.text END,
       '', '', c.oid < 16384, false,
       ARRAY(SELECT w.ev_action::pg_catalog.text FROM pg_catalog.pg_rewrite w
             WHERE w.ev_class = c.oid AND c.oid >= 16384
               AND (c.relkind = 'v' AND w.ev_type = '1' OR w.ev_type <> '1' AND $6::pg_catalog.bool))
       || ARRAY(SELECT w.ev_qual::pg_catalog.text FROM pg_catalog.pg_rewrite w
                WHERE w.ev_class = c.oid AND c.oid >= 16384 AND $6::pg_catalog.bool AND w.ev_qual::pg_catalog.text <> '<>')
       || ARRAY(SELECT q FROM pg_catalog.pg_policy y,
                     pg_catalog.unnest(ARRAY[y.polqual::pg_catalog.text, y.polwithcheck::pg_catalog.text]) q
                WHERE y.polrelid = c.oid AND c.relrowsecurity AND q IS NOT NULL)
       || ARRAY(SELECT d.adbin::pg_catalog.text FROM pg_catalog.pg_attrdef d
                JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                WHERE d.adrelid = c.oid AND (a.attgenerated = 'v' OR $6::pg_catalog.bool)),
       COALESCE((WITH RECURSIVE under AS (
                     SELECT c.oid AS relation
                     UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN under u ON i.inhparent = u.relation)
                 SELECT pg_catalog.array_agg(f) FROM under u
                 JOIN pg_catalog.pg_partitioned_table pt ON pt.partrelid = u.relation
                 JOIN pg_catalog.pg_opclass k ON k.oid = ANY (pt.partclass::pg_catalog.oid[])
                 JOIN family_parts fp ON fp.family = k.opcfamily, pg_catalog.unnest(fp.functions) f), '{}'),
       '{}', '{}', '{}', NULL, NULL, false, NULL, NULL
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($5::pg_catalog.oid[])
