-- Thirty days of Isla, ending now. Run at every start: making the rows is no slower than moving
-- the time of older ones.
SELECT setseed(0.42);

INSERT INTO public.links (slug, url, owner_id, created_at)
SELECT CASE WHEN n = 1 THEN 'test-slug' ELSE substr(md5('slug' || n), 1, 7) END,
       CASE WHEN n = 1 THEN 'https://isla.link/redirect-test'
            ELSE 'https://www.example.com/' || substr(md5('page' || n), 1, 10) END,
       md5('owner' || n % 300)::uuid,
       now() - interval '31 days' - n * interval '7 hours'
FROM generate_series(1, 1200) AS n;

-- Emptied in the same transaction: then the rows need no write-ahead log.
TRUNCATE public.click_events;
-- What today has not reached yet becomes yesterday's.
INSERT INTO public.click_events (slug, visitor_id, country, device, referrer, created_at)
SELECT slug, visitor_id, country, device, referrer,
       CASE WHEN at < now() - interval '3 seconds' THEN at ELSE at - interval '1 day' END
FROM (SELECT *, date_trunc('day', now(), 'UTC') + day * interval '1 day' + time AS at
      FROM drill.clicks) AS clicks;
DROP SCHEMA drill CASCADE;

SET LOCAL ROLE postgres;
ALTER TABLE public.click_events ADD PRIMARY KEY (id);
CREATE INDEX click_events_created_at_idx ON public.click_events (created_at);
RESET ROLE;

INSERT INTO public.analytics_daily (date, slug, clicks)
SELECT (created_at AT TIME ZONE 'UTC')::date, slug, count(*)
FROM public.click_events GROUP BY 1, 2;

INSERT INTO public.subscriptions (user_id, stripe_customer_id, stripe_subscription_id, plan,
                                  status, current_period_end, created_at, updated_at)
SELECT md5('owner' || n)::uuid,
       'cus_' || substr(md5('customer' || n), 1, 14),
       'sub_' || substr(md5('subscription' || n), 1, 24),
       (ARRAY['pro', 'pro', 'team', 'business'])[1 + n % 4],
       CASE WHEN r < 0.93 THEN 'active' WHEN r < 0.96 THEN 'trialing'
            WHEN r < 0.98 THEN 'past_due' ELSE 'canceled' END,
       now() + r * interval '30 days',
       now() - interval '30 days' - n * interval '9 hours',
       now() - r * interval '20 days'
FROM (SELECT n, random() AS r FROM generate_series(1, 1500) AS n) AS people;

INSERT INTO cron.job (schedule, command, username, jobname) VALUES
    ('* * * * *', 'SELECT public.aggregate_clicks()', 'postgres', 'aggregate-clicks'),
    ('15 3 * * *', 'DELETE FROM cron.job_run_details WHERE end_time < now() - interval ''7 days''',
     'postgres', 'purge-run-details');

INSERT INTO cron.job_run_details (jobid, job_pid, database, username, command, status,
                                  return_message, start_time, end_time)
SELECT job.jobid, 1000 + n % 30000, job.database, job.username, job.command, 'succeeded',
       CASE job.jobid WHEN 1 THEN '1 row' ELSE 'DELETE ' || 1400 + n % 50 END,
       start_time, start_time + interval '40 milliseconds' + n % 90 * interval '1 millisecond'
FROM cron.job AS job,
     LATERAL (SELECT n, date_trunc('minute', now()) - n * interval '1 minute' AS start_time
              FROM generate_series(1, 2880) AS n) AS minutes
WHERE job.jobid = 1 OR to_char(start_time AT TIME ZONE 'UTC', 'HH24:MI') = '03:15'
ORDER BY start_time;

ANALYZE;
