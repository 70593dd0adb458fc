"""The running platform, seen from outside: real sockets, a real database."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from isla_console.drill import client
from isla_console.drill.launch import Platform
from tests.support.platform import descendants
from tests.support.waiting import until


@contextlib.asynccontextmanager
async def _database(platform: Platform, url: str = "") -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(url or platform.variables["ISLA_DATABASE_URL"])
    try:
        yield connection
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def _client(platform: Platform, service: str) -> AsyncIterator[httpx.AsyncClient]:
    url = platform.variables[f"ISLA_{service}_URL"]
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        yield client


async def test_the_application_answers_its_health_checks(drill_platform: Platform) -> None:
    async with _client(drill_platform, "APP") as app:
        health = await app.get("/api/health")
        webhooks = await app.get("/api/webhooks/stripe/health")
        assert (health.status_code, health.json()["database"]) == (200, "ok")
        assert webhooks.json() == {"status": "ok", "endpoint": "stripe"}
        assert (await app.get("/api")).status_code == 404


async def test_a_link_redirects_and_a_missing_one_does_not(drill_platform: Platform) -> None:
    async with _client(drill_platform, "REDIRECT") as redirect, _database(drill_platform) as database:
        row = await database.fetchrow("SELECT slug, url FROM links ORDER BY id DESC LIMIT 1")
        assert row is not None
        for method in ("GET", "HEAD"):
            answer = await redirect.request(method, f"/{row['slug']}")
            assert (answer.status_code, answer.headers["location"]) == (307, row["url"])
        test = await redirect.get(f"/{drill_platform.variables['ISLA_TEST_SLUG']}")
        assert test.status_code == 307
        assert test.headers["location"].startswith("https://")
        assert (await redirect.get("/no-such-link")).status_code == 404
        assert (await redirect.get("/health")).json() == {"status": "ok"}


async def test_following_a_link_is_a_click_and_probing_is_not(drill_platform: Platform) -> None:
    async with _client(drill_platform, "REDIRECT") as redirect, _database(drill_platform) as database:
        # The least popular link: visitors do not come by while we count.
        slug = await database.fetchval("SELECT slug FROM links ORDER BY id DESC LIMIT 1")

        async def clicks(of: str) -> int:
            count: int = await database.fetchval("SELECT count(*) FROM click_events WHERE slug = $1", of)
            return count

        before = await clicks(slug)
        await redirect.get(f"/{slug}")
        assert await clicks(slug) == before + 1
        await redirect.get(f"/{slug}", headers={"User-Agent": "isla-console/1.0 (health probe)"})
        await redirect.head(f"/{slug}")
        assert await clicks(slug) == before + 1
        await redirect.get("/test-slug")
        assert await clicks("test-slug") == 0


async def test_supabase_answers_as_documented(drill_platform: Platform) -> None:
    key = drill_platform.variables["SUPABASE_ANON_KEY"]
    async with _client(drill_platform, "SUPABASE") as supabase:
        bare = await supabase.get("/rest/v1/")
        assert bare.status_code == 401
        assert bare.json()["message"] == "No API key found in request"
        wrong = await supabase.get("/rest/v1/", headers={"apikey": "wrong"})
        assert (wrong.status_code, wrong.json()["message"]) == (401, "Invalid API key")
        assert (await supabase.get("/rest/v1/", headers={"apikey": key})).status_code == 401
        auth = await supabase.get("/auth/v1/health", headers={"apikey": key})
        assert auth.status_code == 200
        assert {"version", "name", "description"} == set(auth.json())
        assert (await supabase.get("/auth/v1/health")).status_code == 401


async def test_thirty_days_are_there_and_the_totals_match(drill_platform: Platform) -> None:
    async with _database(drill_platform) as database:
        row = await database.fetchrow(
            "SELECT count(*), count(DISTINCT (created_at AT TIME ZONE 'UTC')::date) AS days,"
            " max(created_at) <= clock_timestamp() AS past FROM click_events"
        )
        assert row is not None
        assert row["count"] >= 200_000
        assert row["days"] in (30, 31)
        assert row["past"]
        # Today's total is brought up to date each minute; whole days are exact.
        wrong = await database.fetchval(
            "WITH day AS (SELECT date_trunc('day', now() - interval '1 hour', 'UTC') AS start),"
            " events AS (SELECT (created_at AT TIME ZONE 'UTC')::date AS date, slug, count(*) AS n"
            "   FROM click_events, day WHERE created_at < start GROUP BY 1, 2),"
            " totals AS (SELECT * FROM analytics_daily, day WHERE date < (start AT TIME ZONE 'UTC')::date)"
            " SELECT count(*) FROM events FULL JOIN totals USING (date, slug) WHERE n IS DISTINCT FROM clicks"
        )
        assert wrong == 0
        indexes = await database.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = 'click_events'")
        assert any("(created_at)" in row["indexdef"] for row in indexes)
        statuses = await database.fetch("SELECT status, count(*) FROM subscriptions GROUP BY 1")
        assert {row["status"] for row in statuses} == {"active", "trialing", "past_due", "canceled"}


async def test_clicks_keep_coming(drill_platform: Platform) -> None:
    query = "SELECT count(*) FROM click_events WHERE created_at > now() - interval '2 seconds'"
    async with _database(drill_platform) as database:

        async def seen() -> bool:
            return bool(4 <= await database.fetchval(query) <= 20)

        async def is_fresh() -> bool:
            return bool(await database.fetchval("SELECT now() - max(created_at) < '1 s' FROM click_events"))

        await until(seen)
        await until(is_fresh)


async def test_connections_are_those_of_a_quiet_day_with_their_names(drill_platform: Platform) -> None:
    async with _database(drill_platform) as database:
        rows = await database.fetch(
            "SELECT application_name, usename, state FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    names = [row["application_name"] for row in rows]
    assert 14 <= len(names) <= 25
    assert {"postgrest", "gotrue", "worker", "edge-redirect", "isla-app", "pg_cron scheduler"} <= set(names)
    assert all(row["state"] for row in rows), "a monitoring role sees every state"


async def test_a_terminated_session_is_opened_again(drill_platform: Platform) -> None:
    async with _database(drill_platform, drill_platform.admin_url) as database:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker'"
        before = await database.fetchval(query)
        await database.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'worker'"
        )

        async def back() -> bool:
            return bool(await database.fetchval(query) == before)

        await until(back)


async def test_the_readers_role_reads_all_and_writes_nothing(drill_platform: Platform) -> None:
    async with _database(drill_platform) as database:
        await database.execute("SET row_security = off")
        runs = await database.fetchval("SELECT count(*) FROM cron.job_run_details")
        assert runs > 2000
        assert await database.fetchval("SELECT count(*) FROM cron.job") == 2
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute("DELETE FROM links")
        role = await database.fetchrow(
            "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert role is not None
        assert (role["rolsuper"], role["rolbypassrls"]) == (False, True)


async def test_crons_tables_show_each_role_its_own_jobs_only(drill_platform: Platform) -> None:
    async with _database(drill_platform) as database:
        policies = await database.fetch("SELECT tablename, qual FROM pg_policies WHERE schemaname = 'cron'")
        assert {row["tablename"] for row in policies} == {"job", "job_run_details"}
        assert all("CURRENT_USER" in row["qual"] for row in policies)
        assert await database.fetchval(
            "SELECT bool_and(relrowsecurity) FROM pg_class WHERE relname LIKE 'job%'"
            " AND relnamespace = 'cron'::regnamespace AND relkind = 'r'"
        )


async def _latencies(client: httpx.AsyncClient, path: str, count: int) -> list[float]:
    """Milliseconds of `count` requests, four at a time."""

    async def one() -> float:
        began = time.perf_counter()
        await client.get(path)
        return (time.perf_counter() - began) * 1000

    await asyncio.gather(*(client.get(path) for _ in range(4)))
    times: list[float] = []
    for _ in range(count // 4):
        times += await asyncio.gather(*(one() for _ in range(4)))
    return times


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


async def test_injected_latency_is_what_a_client_measures(drill_platform: Platform) -> None:
    async def measured() -> tuple[float, list[float]]:
        await client.heal(drill_platform.control_url)
        healthy = _p95(await _latencies(redirect, "/test-slug", 40))
        await client.inject(drill_platform.control_url, {"kind": "latency", "target": "redirect", "ms": 400})
        slow = await _latencies(redirect, "/test-slug", 24)
        assert healthy > 10
        assert min(slow) >= 400
        return healthy, slow

    async with _client(drill_platform, "REDIRECT") as redirect:
        for _ in range(5):  # the machine may be busy with something else in one of the two
            healthy, slow = await measured()
            if _p95(slow) == pytest.approx(400 + healthy, rel=0.1):
                return
    raise AssertionError(f"healthy {healthy:.0f} ms, slow {_p95(slow):.0f} ms")


async def test_faults_touch_their_service_alone_and_heal(drill_platform: Platform) -> None:
    url = drill_platform.control_url
    async with _client(drill_platform, "REDIRECT") as redirect, _client(drill_platform, "APP") as app:
        state = await client.inject(url, {"kind": "errors", "target": "redirect", "status": 500})
        assert state.faults == ("redirect: 100% of answers are 500",)
        assert (await redirect.get("/test-slug")).status_code == 500
        assert (await redirect.get("/health")).status_code == 500
        assert (await app.get("/api/health")).status_code == 200
        state = await client.heal(url)
        assert state.healed
        assert state.faults == ()
        assert (await redirect.get("/test-slug")).status_code == 307


async def test_no_clicks_are_stored_while_redirects_fail(drill_platform: Platform) -> None:
    url = drill_platform.control_url
    await client.inject(url, {"kind": "errors", "target": "redirect"})
    before = (await client.state(url)).truths["clicks_stored"]
    await asyncio.sleep(0.8)
    assert (await client.state(url)).truths["clicks_stored"] - before <= 1
    await client.heal(url)
    await client.inject(url, {"kind": "clicks_stop"})
    before = (await client.state(url)).truths["clicks_stored"]
    async with _client(drill_platform, "REDIRECT") as redirect:
        assert (await redirect.get("/test-slug")).status_code == 307
    await asyncio.sleep(0.8)
    assert (await client.state(url)).truths["clicks_stored"] - before <= 1


async def test_the_scenario_in_its_order(drill_platform: Platform) -> None:
    url = drill_platform.control_url
    async with _client(drill_platform, "REDIRECT") as redirect:
        healthy = await _latencies(redirect, "/test-slug", 12)
        slow = await client.inject(url)
        assert (slow.phase, slow.faults) == ("Redirects are slow", ("redirect: 1200 ms slower",))
        times = await _latencies(redirect, "/test-slug", 4)
        assert 1200 <= min(times) < 1200 + 3 * max(healthy)
        assert (await client.inject(url)).phase == "Redirects fail"
        assert (await redirect.get("/test-slug")).status_code == 500


async def test_connections_are_held_and_let_go(drill_platform: Platform) -> None:
    url = drill_platform.control_url

    async def held(count: int) -> bool:
        return bool((await client.state(url)).truths["client_backends"] >= count)

    before = (await client.state(url)).truths["client_backends"]
    await client.inject(url, {"kind": "connections", "count": 65})
    await until(lambda: held(before + 65))
    async with _database(drill_platform) as database:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbouncer'"
        assert await database.fetchval(query) == 65
    await client.heal(url)

    async def let_go() -> bool:
        return not await held(before + 3)

    await until(let_go)


async def test_a_database_with_no_connection_free_refuses_for_real(drill_platform: Platform) -> None:
    url = drill_platform.control_url

    async def refused() -> bool:
        try:
            async with _database(drill_platform):
                return False
        except asyncpg.TooManyConnectionsError:
            return True

    await client.inject(url, {"kind": "connections", "count": 150})
    await until(refused)
    await client.heal(url)


async def test_control_failures_are_values(drill_platform: Platform) -> None:
    url = drill_platform.control_url
    assert "token" in (await client.state(url + "x")).reason
    assert "not running" in (await client.state("http://127.0.0.1:1/?token=x")).reason
    assert not (await client.heal("nonsense")).ok
    assert not (await client.state("http://[/")).ok
    assert "no fault" in (await client.inject(url, {"kind": "flood"})).reason
    app = drill_platform.variables["ISLA_APP_URL"]
    assert (await client.state(f"{app}/?token=x")).reason == "that is no drill's control address"
    assert (await client.state(url)).ok


async def test_the_link_check_has_a_neighbour(drill_platform: Platform) -> None:
    host, port = drill_platform.variables["ISLA_LINK_CHECK"].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()


def test_nothing_listens_beyond_loopback(drill_platform: Platform) -> None:
    listening = set()
    ours = {drill_platform.pid} | descendants(drill_platform.pid)
    inodes = set()
    for pid in ours:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                inodes.add(str(descriptor.readlink()).removeprefix("socket:[").rstrip("]"))
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.add(fields[1].split(":")[0])
    assert listening == {"0100007F"}


def test_no_secret_in_its_repr(drill_platform: Platform) -> None:
    shown = repr(drill_platform)
    for secret in (drill_platform.variables["SUPABASE_ANON_KEY"], drill_platform.admin_url, "token="):
        assert secret not in shown
