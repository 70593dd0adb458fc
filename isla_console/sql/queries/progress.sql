-- How far vacuums, analyses, index builds and rewrites are.
SELECT pid, 'vacuum: ' || phase AS phase,
       round(100.0 * heap_blks_scanned / nullif(heap_blks_total, 0))::float8 AS percent
FROM pg_catalog.pg_stat_progress_vacuum
UNION ALL
SELECT pid, 'analyze: ' || phase, round(100.0 * sample_blks_scanned / nullif(sample_blks_total, 0))::float8
FROM pg_catalog.pg_stat_progress_analyze
UNION ALL
SELECT pid, 'index: ' || phase, round(100.0 * blocks_done / nullif(blocks_total, 0))::float8
FROM pg_catalog.pg_stat_progress_create_index
UNION ALL
SELECT pid, 'rewrite: ' || phase, round(100.0 * heap_blks_scanned / nullif(heap_blks_total, 0))::float8
FROM pg_catalog.pg_stat_progress_cluster
LIMIT 20
