-- The role for ISLA_DATABASE_URL: reads everything, sees every session, writes nothing. Run it as the owner.
-- Choose a password of your own. BYPASSRLS matters: without it, tables with row security read as empty, and
-- failed cron jobs look like none.
CREATE ROLE isla_readonly LOGIN BYPASSRLS PASSWORD 'choose-one';
GRANT pg_monitor, pg_read_all_data TO isla_readonly;
ALTER ROLE isla_readonly SET default_transaction_read_only = on;
-- For ISLA_DATABASE_ADMIN_URL (ending sessions, unlocked writes): the platform's own role, such as postgres,
-- or one of yours with:
-- GRANT pg_monitor, pg_signal_backend TO your_role;
