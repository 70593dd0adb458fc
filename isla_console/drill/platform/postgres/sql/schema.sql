-- Isla's database as Supabase would host it. Run once, when the template cluster is made; a drill
-- then fills a copy of it (seed.sql).
-- The superuser is supabase_admin; postgres is what a customer gets, and no superuser.

CREATE ROLE postgres LOGIN NOSUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS;
GRANT pg_monitor, pg_read_all_data, pg_signal_backend TO postgres;
CREATE ROLE authenticator LOGIN NOINHERIT;
CREATE ROLE supabase_auth_admin LOGIN NOINHERIT;
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
GRANT anon, authenticated, service_role TO authenticator;
CREATE ROLE isla_app LOGIN;
-- Without BYPASSRLS a monitoring role reads cron's tables as empty, which looks like health.
CREATE ROLE isla_readonly LOGIN BYPASSRLS;
GRANT pg_monitor, pg_read_all_data TO isla_readonly;

GRANT ALL ON SCHEMA public TO postgres;
GRANT CREATE ON DATABASE postgres TO postgres;
SET ROLE postgres;

CREATE TABLE public.links (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    url text NOT NULL,
    owner_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.click_events ( -- its indexes: seed.sql
    id bigint GENERATED ALWAYS AS IDENTITY,
    slug text NOT NULL,
    visitor_id uuid,
    country text,
    device text,
    referrer text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.analytics_daily (
    date date NOT NULL,
    slug text NOT NULL,
    clicks bigint NOT NULL,
    PRIMARY KEY (date, slug)
);

CREATE TABLE public.subscriptions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    stripe_customer_id text NOT NULL,
    stripe_subscription_id text NOT NULL UNIQUE,
    plan text NOT NULL,
    status text NOT NULL,
    current_period_end timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- What the cron job runs: today's totals from today's clicks, by UTC days. For ten minutes after
-- midnight yesterday too, whose last clicks came after its last run.
CREATE FUNCTION public.aggregate_clicks() RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.analytics_daily (date, slug, clicks)
    SELECT (created_at AT TIME ZONE 'UTC')::date, slug, count(*)
    FROM public.click_events
    WHERE created_at >= date_trunc('day', now() - interval '10 minutes', 'UTC')
    GROUP BY 1, 2
    ON CONFLICT (date, slug) DO UPDATE SET clicks = EXCLUDED.clicks
    WHERE analytics_daily.clicks IS DISTINCT FROM EXCLUDED.clicks
$$;

GRANT USAGE ON SCHEMA public TO isla_app, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.links, public.click_events, public.analytics_daily, public.subscriptions
    TO isla_app;
RESET ROLE;

-- pg_cron is not in the embedded server: its tables, with its columns and policies.
CREATE SCHEMA cron;
CREATE SEQUENCE cron.jobid_seq;
CREATE SEQUENCE cron.runid_seq;

CREATE TABLE cron.job (
    jobid bigint PRIMARY KEY DEFAULT nextval('cron.jobid_seq'),
    schedule text NOT NULL,
    command text NOT NULL,
    nodename text NOT NULL DEFAULT 'localhost',
    nodeport int NOT NULL DEFAULT inet_server_port(),
    database text NOT NULL DEFAULT current_database(),
    username text NOT NULL DEFAULT current_user,
    active boolean NOT NULL DEFAULT true,
    jobname text,
    CONSTRAINT jobname_username_uniq UNIQUE (jobname, username)
);
ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY;
CREATE POLICY cron_job_policy ON cron.job USING (username = current_user);

CREATE TABLE cron.job_run_details (
    jobid bigint,
    runid bigint PRIMARY KEY DEFAULT nextval('cron.runid_seq'),
    job_pid integer,
    database text,
    username text,
    command text,
    status text,
    return_message text,
    start_time timestamptz,
    end_time timestamptz
);
ALTER TABLE cron.job_run_details ENABLE ROW LEVEL SECURITY;
CREATE POLICY cron_job_run_details_policy ON cron.job_run_details USING (username = current_user);

GRANT USAGE ON SCHEMA cron TO postgres;
GRANT SELECT, INSERT, UPDATE, DELETE ON cron.job, cron.job_run_details TO postgres;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA cron TO postgres;

-- What the clicks of thirty days will be, drawn once: a drill only has to give them their time.
-- A few links get most of the clicks, midday gets more than midnight, one in twenty has no country.
CREATE SCHEMA drill;
SELECT setseed(0.42);
CREATE TABLE drill.clicks AS
SELECT substr(md5('slug' || 2 + floor(1199 * power(r1, 3))::int), 1, 7) AS slug,
       md5('visitor' || floor(r2 * 45000)::int)::uuid AS visitor_id,
       CASE WHEN r3 > 0.05 THEN (ARRAY['US', 'GB', 'DE', 'FR', 'IN', 'BR', 'ES', 'JP', 'CA', 'NL'])
           [1 + floor(10 * power(r3, 2))::int] END AS country,
       CASE WHEN r2 < 0.62 THEN 'mobile' WHEN r2 < 0.95 THEN 'desktop' ELSE 'tablet' END AS device,
       CASE WHEN r3 < 0.4 THEN 'direct' WHEN r3 < 0.8 THEN 'social' ELSE 'search' END AS referrer,
       day, time
FROM (SELECT random() AS r1, random() AS r2, random() AS r3, -floor(30 * random())::int AS day,
             (random() + random()) / 2 * interval '1 day' AS time
      FROM generate_series(1, 200000)) AS draws
ORDER BY day, time;
