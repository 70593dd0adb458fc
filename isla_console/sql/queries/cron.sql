-- Failed runs of pg_cron within a day. With row security in the way this is an error, not an empty answer,
-- since the session says row_security = off.
SELECT count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) AS runs,
       max(start_time) FILTER (WHERE status = 'succeeded') AS last_success
FROM cron.job_run_details WHERE start_time > now() - interval '24 hours'
