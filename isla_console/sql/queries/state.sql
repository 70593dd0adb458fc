-- The state of what a verdict depends on: whoever we are, where names are looked up, and all that people made.
-- xmin is another one after every change of a row.
SELECT pg_catalog.md5(pg_catalog.concat_ws('|',
    CURRENT_USER, pg_catalog.current_setting('search_path'),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_proc WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_operator WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_type WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(oid::pg_catalog.int8) || '.' || pg_catalog.count(*) FILTER (WHERE relrowsecurity)
     FROM pg_catalog.pg_class WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_cast WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_rewrite WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_policy),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_constraint WHERE contypid <> 0),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_amproc WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_opclass WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(inhrelid::pg_catalog.int8) FROM pg_catalog.pg_inherits),
    (SELECT pg_catalog.count(*) || '.' || pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_attrdef)
))
