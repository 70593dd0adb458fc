"""The loop: nothing starves, nothing queues behind itself, nothing raises, it stops at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from isla_console.monitor.http.prober import HttpCheck
from isla_console.monitor.link import LinkSample
from isla_console.monitor.metrics.health import ProbeReading
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.metrics.sample import Phases, Sample
from isla_console.monitor.monitor import Snapshot, Transition
from isla_console.monitor.poller import Poller
from isla_console.resources import resource
from isla_console.runbook.model import Runbook
from isla_console.settings.resolve import Settings
from tests.support.pace import slowness
from tests.support.servers import START, Endpoints, Postgres, Proxy, utcnow
from tests.support.waiting import until

DOCUMENT: dict[str, Any] = yaml.load(resource("runbook.yaml").read_text(), yaml.CSafeLoader)


NO_LINK = ","
"""ISLA_LINK_CHECK that names no host: whether our own link is up is then not known."""


def probe(id: str, every_s: float = 0.1, timeout_s: float = 0.08, **options: Any) -> dict[str, Any]:
    fields = {"id": id, "title": id, "url": f"${{APP_URL}}/{id}", "every_s": every_s, "timeout_s": timeout_s}
    return fields | options


def latency(probe: str = "fast", **options: Any) -> dict[str, Any]:
    source = {"kind": "probe", "probes": [probe], "aggregate": "p95", "window_s": 60, "take": "total"}
    fields = {"id": "latency", "title": "Latency", "short": "Latency", "unit": "ms", "every_s": 0.1}
    return fields | {"better": "lower", "normal": "< 50 ms", "alert": "> 200 ms", "source": source} | options


def sql(query: str, every_s: float = 0.2, id: str = "connections") -> dict[str, Any]:
    source = {"kind": "postgres", "aggregate": "last", "window_s": 15, "query": query}
    fields = {"id": id, "title": id, "short": id[:14], "better": "lower", "normal": "< 50", "alert": "> 80"}
    return fields | {"every_s": every_s, "source": source}


def make(
    home: Path,
    *,
    probes: list[dict[str, Any]] | None = None,
    metrics: list[dict[str, Any]] | None = None,
    checks: list[dict[str, Any]] | None = None,
    link: dict[str, Any] | None = None,
    environ: dict[str, str] | None = None,
    **options: Any,
) -> Poller:
    parts = {
        "health_checks": probes or [],
        "probes": [],
        "metrics": metrics or [],
        "database_checks": checks or [],
        "link_check": link or DOCUMENT["link_check"],
    }
    own = {"HOME": str(home), "ISLA_ACTOR": "ana"} | ({} if link else {"ISLA_LINK_CHECK": NO_LINK})
    settings = Settings.load(own | (environ or {}))
    return Poller(Runbook.model_validate(DOCUMENT | parts), settings, **options)


@contextlib.asynccontextmanager
async def running(poller: Poller) -> AsyncIterator[Poller]:
    task = asyncio.create_task(poller.run())
    try:
        yield poller
    finally:
        started = time.monotonic()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 5 * slowness()


def readings(snapshot: Snapshot) -> list[Reading | ProbeReading]:
    """Every metric's and probe's reading."""
    return [*snapshot.metrics, *snapshot.probes]


class FakeHttp:
    """Answers as told: "ok", "down" (an answer, a bad one), "dark" (no answer at all), "silent" (a connection
    and no answer), or hangs.
    """

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self.behaviour: dict[str, str] = {}
        self.calls: dict[str, int] = {}
        self.active: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.first: dict[str, float] = {}
        self.clock = clock

    async def fetch(self, check: HttpCheck) -> tuple[Sample, bytes]:
        id = check.id
        self.calls[id] = self.calls.get(id, 0) + 1
        self.first.setdefault(id, time.monotonic())
        self.active[id] = self.active.get(id, 0) + 1
        self.most[id] = max(self.most.get(id, 0), self.active[id])
        try:
            how = self.behaviour.get(id, "ok")
            if how == "raise":
                raise RuntimeError("s3cret")
            if how == "hang":
                await asyncio.sleep(check.timeout_s)
                return Sample(id, self.clock(), False, "timed out", timed_out_ms=80), b""
            return answer(id, self.clock(), how), b""
        finally:
            self.active[id] -= 1


def answer(id: str, at: datetime, how: str = "ok") -> Sample:
    phases = Phases(connect_ms=1, first_byte_ms=11, total_ms=12, status=200)
    reasons = {"ok": "", "down": "500 instead of 200", "dark": "network unreachable", "silent": "timed out"}
    timed_out_ms = 2000 if how == "silent" else None
    return Sample(id, at, how == "ok", reasons[how], phases, reached=how != "dark", timed_out_ms=timed_out_ms)


async def test_a_slow_endpoint_starves_nobody_and_never_meets_itself(tmp_path: Path) -> None:
    http = FakeHttp()
    http.behaviour = {f"slow{n}": "hang" for n in range(40)}
    probes = [probe(id) for id in (*http.behaviour, "fast")]
    async with running(make(tmp_path, probes=probes, environ={"ISLA_APP_URL": "http://a"}, http=http)):
        await until(lambda: http.calls.get("fast", 0) >= 7)
        await until(lambda: min(http.calls.get(id, 0) for id in http.behaviour) >= 2)
    assert set(http.most.values()) == {1}
    assert http.calls["fast"] >= 0.5 * max(http.calls[id] for id in http.behaviour)


async def test_probes_start_staggered(tmp_path: Path) -> None:
    http = FakeHttp()
    probes = [probe(f"p{n}", every_s=1, timeout_s=0.5) for n in range(4)]
    started = time.monotonic()
    async with running(make(tmp_path, probes=probes, environ={"ISLA_APP_URL": "http://a"}, http=http)):
        await until(lambda: len(http.calls) == 4)
    # Never sooner; how much later is the machine's doing.
    assert [http.first[f"p{n}"] - started >= n * 0.1 for n in range(4)] == [True] * 4


async def test_nothing_raises_whatever_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise ValueError("s3cret")

    http = FakeHttp()
    http.behaviour = {"bad": "raise"}
    poller = make(
        tmp_path,
        probes=[probe("bad"), probe("fast")],
        environ={"ISLA_APP_URL": "http://a"},
        http=http,
        on_sample=broken,
        on_change=broken,
    )
    async with running(poller):
        await until(lambda: http.calls.get("bad", 0) > 4 and http.calls.get("fast", 0) > 4)
        bad, fast = poller.snapshot(utcnow()).probes
    assert (bad.state, fast.state) == ("unknown", "ok"), "a defect of ours says nothing about the platform"
    assert bad.reason == "a defect of this console: RuntimeError"
    assert "s3cret" not in caplog.text


async def test_with_nothing_configured_it_runs_and_says_what_to_set(tmp_path: Path) -> None:
    settings = Settings.load({"HOME": str(tmp_path), "ISLA_LINK_CHECK": NO_LINK})
    poller = Poller(Runbook.model_validate(DOCUMENT), settings)
    async with running(poller):
        await asyncio.sleep(0.05)
        snapshot = poller.snapshot(utcnow())
    assert {reading.state for reading in readings(snapshot)} == {"unknown"}
    assert all(reading.reason.startswith("set ") for reading in readings(snapshot))
    assert (snapshot.link.state, snapshot.link.reason) == ("unknown", "set ISLA_LINK_CHECK")
    assert (snapshot.database.state, snapshot.database.reason) == ("unknown", "set ISLA_DATABASE_URL")
    assert (await poller.probe_once("app-health")).reason == "set ISLA_APP_URL"
    assert (await poller.probe_once("nonsense")).reason == "it has no source of its own"


async def test_check_now_joins_the_request_under_way(tmp_path: Path) -> None:
    http = FakeHttp()
    http.behaviour = {"slow": "hang"}
    seen: list[Sample] = []
    poller = make(
        tmp_path,
        probes=[probe("slow", every_s=2, timeout_s=0.2)],
        environ={"ISLA_APP_URL": "http://a"},
        http=http,
        on_sample=seen.append,
    )
    first, second = await asyncio.gather(poller.probe_once("slow"), poller.probe_once("slow"))
    assert first is second
    assert seen == [first]
    assert http.calls == {"slow": 1}
    await poller.close()


async def test_a_metric_and_a_probe_of_one_name_do_not_meet(tmp_path: Path) -> None:
    http = FakeHttp()
    source = {
        "kind": "http_json",
        "url": "${APP_URL}",
        "select": "depth",
        "aggregate": "last",
        "window_s": 10,
    }
    poller = make(
        tmp_path,
        probes=[probe("depth")],
        metrics=[latency(id="depth", source=source)],
        environ={"ISLA_APP_URL": "http://a"},
        http=http,
    )
    async with running(poller):
        await until(lambda: http.calls.get("depth", 0) > 2 and http.calls.get("metric:depth", 0) > 2)
        snapshot = poller.snapshot(utcnow())
    assert (snapshot.probes[0].state, snapshot.metrics[0].state) == ("ok", "unknown")
    assert snapshot.metrics[0].reason == "the answer is no JSON"


async def test_changes_are_told_once_each(tmp_path: Path) -> None:
    http = FakeHttp()
    changes: list[Transition] = []
    poller = make(
        tmp_path,
        probes=[probe("fast", every_s=0.5)],
        metrics=[latency(every_s=0.5)],
        environ={"ISLA_APP_URL": "http://a"},
        http=http,
        on_change=changes.append,
    )
    async with running(poller):
        await until(lambda: len(changes) == 2)
        http.behaviour = {"fast": "down"}
        await until(lambda: len(changes) >= 4)
        http.behaviour = {}
        await until(lambda: len(changes) >= 6)
    told = [(change.kind, change.old, change.new) for change in changes]
    assert [change for change in told if change[0] == "probe"] == [
        ("probe", "unknown", "ok"),
        ("probe", "ok", "alert"),
        ("probe", "alert", "ok"),
    ]
    assert [change for change in told if change[0] == "metric"] == [
        ("metric", "unknown", "ok"),
        ("metric", "ok", "stale"),
        ("metric", "stale", "ok"),
    ]
    assert next(change.value for change in changes if change.kind == "metric") == "12 ms"


async def test_a_snapshot_compares_equal_while_nothing_happened_and_is_cheap(tmp_path: Path) -> None:
    poller = make(
        tmp_path,
        probes=[probe("fast", every_s=60)],
        metrics=[latency(every_s=60)],
        environ={"ISLA_APP_URL": "http://a"},
        http=FakeHttp(),
    )
    await poller.probe_once("fast")
    now = utcnow()
    assert poller.snapshot(now) == poller.snapshot(now + timedelta(seconds=2))
    assert poller.snapshot(now) != poller.snapshot(now + timedelta(seconds=400))
    started = time.process_time()
    for index in range(1000):
        poller.snapshot(now + timedelta(milliseconds=index))
    assert (time.process_time() - started) / 1000 < 0.002 * slowness()


class TestBlind:
    """Driven by hand: the clock, the probes' answers and the self-checks."""

    @pytest.fixture
    def changes(self) -> list[Transition]:
        return []

    @pytest.fixture
    def poller(self, tmp_path: Path, changes: list[Transition]) -> Poller:
        errors = latency(
            id="errors", every_s=5, source={"kind": "error_rate", "aggregate": "rate", "window_s": 300}
        )
        errors |= {"normal": "< 0.1 %", "alert": "> 1 %", "unit": "%"}
        return make(
            tmp_path,
            probes=[probe("fast", every_s=5, timeout_s=2), probe("other", every_s=5, timeout_s=2)],
            metrics=[latency(every_s=5), errors],
            link={"targets": ["127.0.0.1:9"]},
            environ={"ISLA_APP_URL": "http://a"},
            http=FakeHttp(),
            clock=lambda: START,
            on_change=changes.append,
        )

    def answer(self, poller: Poller, id: str, seconds: float, how: str, *, took_s: float = 0) -> None:
        at = START + timedelta(seconds=seconds)
        poller._receive(answer(id, at, how), at - timedelta(seconds=took_s))

    def probes(self, poller: Poller, seconds: float, how: str) -> None:
        for id in ("fast", "other"):
            self.answer(poller, id, seconds, how)

    def link(self, poller: Poller, seconds: float, ms: float | None) -> None:
        poller._receive_link(
            LinkSample(START + timedelta(seconds=seconds), ms, "timed out" if ms is None else "")
        )

    def test_our_own_outage_is_journalled_as_nothing_else(
        self, poller: Poller, changes: list[Transition]
    ) -> None:
        self.link(poller, 0, 12)
        self.probes(poller, 1, "ok")
        changes.clear()
        self.link(poller, 5, None)
        for seconds in range(6, 60):
            self.probes(poller, seconds, "dark")
            if seconds % 5 == 0:
                self.link(poller, seconds, None)
        now = START + timedelta(seconds=60)
        snapshot = poller.snapshot(now)
        assert {reading.state for reading in readings(snapshot)} == {"blind"}
        poller._report(now)
        assert [(change.kind, change.new) for change in changes] == [("link", "blind")]
        self.link(poller, 61, 12)
        assert {r.state for r in poller.snapshot(START + timedelta(seconds=61)).metrics} == {"ok"}
        self.probes(poller, 63, "ok")
        snapshot = poller.snapshot(START + timedelta(seconds=63))
        assert {reading.state for reading in readings(snapshot)} == {"ok"}
        assert snapshot.metrics[1].value == 0
        assert [(change.kind, change.new) for change in changes] == [("link", "blind"), ("link", "ok")]

    def test_a_request_that_our_own_outage_cut_short_is_no_failure_of_theirs(
        self, poller: Poller, changes: list[Transition]
    ) -> None:
        """Connected before the cut and never answered: only what is asked later tells it from a far side that
        hangs.
        """
        self.link(poller, 0, 12)
        self.probes(poller, 1, "ok")
        changes.clear()
        self.answer(poller, "fast", 6, "silent", took_s=2)
        self.answer(poller, "other", 7, "ok", took_s=3)  # on its way already, and read late
        states = {reading.state for reading in readings(poller.snapshot(START + timedelta(seconds=7)))}
        assert (states, changes) == ({"ok"}, [])
        for seconds in (8, 13):
            self.link(poller, seconds, None)
        assert [(change.kind, change.new) for change in changes] == [("link", "blind")]
        self.link(poller, 18, 12)
        self.probes(poller, 19, "ok")
        assert [(change.kind, change.new) for change in changes] == [("link", "blind"), ("link", "ok")]

    def test_a_far_side_that_takes_and_never_answers_fails(self, poller: Poller) -> None:
        self.link(poller, 0, 12)
        for seconds in (3, 8, 13):
            self.answer(poller, "fast", seconds, "silent", took_s=2)
            self.link(poller, seconds + 1, 12)
        states = [probe.state for probe in poller.snapshot(START + timedelta(seconds=14)).probes]
        assert states == ["alert", "unknown"]

    def test_their_outage_is_theirs_when_our_link_is_fine(
        self, poller: Poller, changes: list[Transition]
    ) -> None:
        for seconds in range(0, 40, 5):
            self.link(poller, seconds, 12)
            self.probes(poller, seconds + 1, "ok" if seconds < 10 else "dark")
        states = [reading.state for reading in poller.snapshot(START + timedelta(seconds=36)).probes]
        assert states == ["alert", "alert"]

    def test_what_was_held_back_counts_when_the_link_was_fine(self, poller: Poller) -> None:
        self.link(poller, 0, 12)
        self.probes(poller, 1, "ok")
        self.link(poller, 5, None)
        for seconds in (6, 7, 8):
            self.probes(poller, seconds, "dark")
        assert poller.snapshot(START + timedelta(seconds=8)).probes[0].state == "ok"
        self.link(poller, 9, 12)
        assert poller.snapshot(START + timedelta(seconds=9)).probes[0].state == "alert"

    def test_an_answer_from_before_a_failure_says_nothing_of_the_link_since(self, poller: Poller) -> None:
        self.link(poller, 0, 12)
        self.probes(poller, 1, "ok")
        for seconds in (6, 7, 8):  # the link is cut; what was on its way is read late
            self.answer(poller, "fast", seconds, "dark")
            self.answer(poller, "other", seconds + 0.5, "ok", took_s=3)
        now = START + timedelta(seconds=9)
        assert [probe.state for probe in poller.snapshot(now).probes] == ["ok", "ok"]
        self.answer(poller, "other", 9, "ok", took_s=0.2)
        assert [probe.state for probe in poller.snapshot(now).probes] == ["alert", "ok"]

    def test_what_was_asked_while_blind_says_nothing_when_we_see_again(
        self, poller: Poller, changes: list[Transition]
    ) -> None:
        self.link(poller, 0, 12)
        self.probes(poller, 1, "ok")
        for seconds in (5, 10):
            self.link(poller, seconds, None)
        self.link(poller, 15, 12)
        for id in ("fast", "other"):
            self.answer(poller, id, 16, "dark", took_s=2)
        for seconds in (17, 18, 19):
            self.probes(poller, seconds, "ok")
        assert poller.snapshot(START + timedelta(seconds=19)).metrics[1].value == 0
        assert "alert" not in {change.new for change in changes}

    def test_an_answer_that_our_own_outage_delayed_is_not_slow(self, poller: Poller) -> None:
        """Asked while the link was down, sent again by the kernel, answered once it was back."""
        self.link(poller, 0, 12)
        self.probes(poller, 1, "ok")
        for seconds in (5, 10):
            self.link(poller, seconds, None)
        late = START + timedelta(seconds=15)
        phases = Phases(connect_ms=3000, first_byte_ms=11, total_ms=3011, status=200)
        poller._receive(Sample("fast", late, True, "", phases, reached=True), late - timedelta(seconds=3))
        snapshot = poller.snapshot(late)
        assert (snapshot.link.state, snapshot.metrics[0].state, snapshot.metrics[0].value) == ("ok", "ok", 12)

    def test_unreachable_targets_do_not_hide_one_dead_endpoint(self, poller: Poller) -> None:
        for seconds in range(0, 60, 5):
            self.link(poller, seconds, None)
            self.answer(poller, "fast", seconds + 1, "dark")
            self.answer(poller, "other", seconds + 2, "ok")
        states = [reading.state for reading in poller.snapshot(START + timedelta(seconds=57)).probes]
        assert states == ["alert", "ok"]
        assert poller.snapshot(START + timedelta(seconds=57)).link.state == "ok"


CONNECTIONS = "SELECT count(*) AS value FROM pg_stat_activity WHERE backend_type = 'client backend'"


async def test_everything_real_at_once(endpoints: Endpoints, postgres: Postgres, tmp_path: Path) -> None:
    delay = 0.0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(delay)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"depth": "61"}')
        await writer.drain()

    url = await endpoints.url(handler)
    depth = latency(id="depth", unit="", source={"kind": "http_json", "url": "${APP_URL}", "select": "depth"})
    depth["source"] |= {"aggregate": "last", "window_s": 10}
    depth["every_s"] = 1.5
    changes: list[Transition] = []
    poller = make(
        tmp_path,
        probes=[probe("fast", every_s=1.5, timeout_s=1.4)],
        metrics=[
            latency(every_s=1.5),
            sql(CONNECTIONS, every_s=1.5),
            sql("SELECT 7.5 AS lag", every_s=1.5, id="lag"),
            depth,
        ],
        link={"targets": [url.removeprefix("http://").removesuffix("/")]},
        environ={"ISLA_APP_URL": url, "ISLA_DATABASE_URL": postgres.dsn().reveal()},
        on_change=changes.append,
    )
    async with running(poller):

        def values() -> list[float | None]:
            return [reading.value for reading in poller.snapshot(utcnow()).metrics]

        await until(lambda: None not in values())
        assert values()[1:] == [1.0, 7.5, 61.0]
        snapshot = poller.snapshot(utcnow())
        assert (snapshot.link.state, snapshot.database.state) == ("ok", "ok")
        assert snapshot.database.role == "postgres"
        delay = 0.25
        await until(lambda: poller.snapshot(utcnow()).metrics[0].state == "alert")
        value = poller.snapshot(utcnow()).metrics[0].value
        assert value is not None
        assert 250 <= value < 2500 * slowness()
    assert {change.kind for change in changes} == {"metric", "probe", "link"}


JOBS = """SELECT 'sum' AS name, '* * * * *' AS schedule, 'succeeded' AS status,
    now() - interval '1 hour' AS started_at, NULL AS failed_at, NULL AS message, now() AS now,
    'GMT' AS timezone, 'on' AS log_run"""


async def test_a_row_says_what_is_wrong_and_a_refusal_says_nothing(
    postgres: Postgres, tmp_path: Path
) -> None:
    def check(id: str, query: str) -> dict[str, Any]:
        return {"id": id, "title": id, "query": query, "every_s": 0.2}

    checks = [
        check("well", "SELECT 1 WHERE false"),
        check("null", "SELECT NULL"),
        check("ill", "SELECT E'sum failed\\x1b[31m'"),
        check("refused", "SELECT * FROM nowhere"),
        check("jobs", JOBS) | {"rows": "pg_cron"},
        check("not-jobs", "SELECT now(), 'sum' AS name") | {"rows": "pg_cron"},
    ]
    changes: list[Transition] = []
    environ = {"ISLA_DATABASE_URL": postgres.dsn().reveal()}
    poller = make(tmp_path, checks=checks, environ=environ, on_change=changes.append)

    def now() -> dict[str, ProbeReading]:
        return {probe.id: probe for probe in poller.snapshot(utcnow()).probes}

    async with running(poller):
        await until(lambda: now()["ill"].state == "alert" and now()["well"].state == "ok")
        await until(lambda: now()["null"].state == "ok" and "nowhere" in now()["refused"].reason)
        # What cannot be asked is not known: it neither fails nor is well.
        assert (now()["refused"].state, now()["refused"].sample) == ("unknown", None)
        await until(lambda: now()["jobs"].state == "alert" and "column" in now()["not-jobs"].reason)
        assert now()["jobs"].reason.endswith("Z (* * * * *): is the scheduler running?")
        assert (now()["not-jobs"].state, now()["not-jobs"].sample) == ("unknown", None)
        assert now()["ill"].reason == "sum failed␛[31m"
    assert ("ill", "alert") in {(change.name, change.new) for change in changes}
    assert "refused" not in {change.name for change in changes}
    unset = make(tmp_path, checks=checks).snapshot(utcnow()).probes
    assert {(probe.state, probe.reason) for probe in unset} == {("unknown", "set ISLA_DATABASE_URL")}


async def test_it_stops_at_once_while_everything_hangs(
    endpoints: Endpoints, postgres: Postgres, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    proxy = Proxy(postgres.port)

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    proxy.port = await endpoints.port(proxy.handle)
    url = await endpoints.url(never)
    poller = make(
        tmp_path,
        probes=[probe(f"slow{n}", every_s=30, timeout_s=20) for n in range(5)],
        metrics=[sql(CONNECTIONS), sql("SELECT 1 AS value", id="other")],
        environ={"ISLA_APP_URL": url, "ISLA_DATABASE_URL": postgres.dsn(port=proxy.port).reveal()},
    )
    before = asyncio.all_tasks()
    async with running(poller):
        await until(lambda: poller.snapshot(utcnow()).metrics[0].state == "ok")
        proxy.flowing.clear()
        await asyncio.sleep(0.5)
    proxy.flowing.set()
    left = [task for task in asyncio.all_tasks() - before if "monitor/poller" in repr(task)]
    assert left == []
    assert [record for record in caplog.records if record.name.startswith("isla_console")] == []
