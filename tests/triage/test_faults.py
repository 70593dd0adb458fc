"""Each of the six kinds of fault, on the real platform: the right issue is first, soon, and says why."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from isla_console.drill import client
from isla_console.monitor.poller import JITTER, Poller
from isla_console.monitor.sources.database import DEADLINE_S as DATABASE_DEADLINE_S
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.model import Runbook
from isla_console.settings.resolve import Settings
from isla_console.triage.blame import blame
from isla_console.triage.facts import Facts, gather
from isla_console.triage.health import Health, health_of
from isla_console.triage.ranking import Ranking, rank
from tests.support.platform import running_platform
from tests.support.rate_limit import PACE, oftener

pytestmark = pytest.mark.slow

DEADLINE_S = 60
Fault = Mapping[str, object]

KINDS: dict[str, tuple[str, list[Fault], str]] = {
    "redirect-down": (
        "redirect-down",
        [
            {"kind": "latency", "target": "redirect", "ms": 400},
            {"kind": "errors", "target": "redirect", "status": 500},
        ],
        "the redirect probe fails",
    ),
    "db-connections": (
        "db-connections",
        [{"kind": "connections", "count": 75}],
        "connections are near their limit",
    ),
    "auth-failing": (
        "auth-failing",
        [{"kind": "errors", "target": "auth", "status": 500}],
        "the sign-in service fails",
    ),
    "payments": (
        "payments",
        [{"kind": "errors", "target": "webhook", "status": 500}, {"kind": "payments_fail"}],
        "the payment webhook's health check fails",
    ),
    "high-cpu": ("high-cpu", [{"kind": "latency", "target": "app", "ms": 900}], "the API is slow"),
    "analytics": (
        "analytics",
        [{"kind": "clicks_stop"}, {"kind": "jobs_fail"}],
        "no click has arrived for a while",
    ),
    "only the scheduled job": (
        "analytics",
        [{"kind": "jobs_fail"}],
        "a scheduled job fails or is late: aggregate-clicks failed at ",
    ),
}


class Watch:
    """A poller on the platform, and what its ranking says."""

    def __init__(self, runbook: Runbook, poller: Poller, control_url: str) -> None:
        self.runbook = runbook
        self.poller = poller
        self.control_url = control_url

    def facts(self) -> Facts:
        return gather(self.poller.snapshot(datetime.now(UTC)), None)

    def health(self) -> Health:
        return health_of(self.runbook, self.poller.snapshot(datetime.now(UTC)))

    def ranking(self) -> Ranking:
        return rank(self.runbook.issues, self.facts())

    async def until(self, wanted: Callable[[Ranking], bool], seconds: float = DEADLINE_S) -> float:
        """How long it took, in seconds."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() - began < seconds:
            if wanted(self.ranking()):
                return loop.time() - began
            await asyncio.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {self.ranking()}\n{self.facts()}")


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with running_platform(tmp_path_factory.mktemp("platform")) as platform:
        yield platform.variables


@contextlib.asynccontextmanager
async def watching(variables: Mapping[str, str], home: Path) -> AsyncIterator[Watch]:
    settings = Settings.load({"HOME": str(home), **variables})
    runbook = oftener(load_runbook(resource("runbook.yaml")).runbook)
    poller = Poller(runbook, settings)
    running = asyncio.create_task(poller.run())
    try:
        yield Watch(runbook, poller, variables["ISLA_DRILL_CONTROL"])
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.heal(variables["ISLA_DRILL_CONTROL"])


@pytest.mark.parametrize("kind", KINDS)
async def test_the_right_issue_is_first_within_a_minute(
    variables: dict[str, str], tmp_path: Path, kind: str
) -> None:
    issue, faults, because = KINDS[kind]
    async with watching(variables, tmp_path) as watch:
        await watch.until(lambda ranking: watch.facts().watching and not ranking.candidates)
        await asyncio.sleep(5 / PACE)
        assert not watch.ranking().candidates, "with everything healthy nothing is suggested"
        for fault in faults:
            assert (await client.inject(watch.control_url, fault)).ok
        await watch.until(
            lambda ranking: (
                ranking.first is not None
                and ranking.first.issue == issue
                and ranking.tied == 1
                and because in ranking.first.because
            )
        )
        # It stays first while more evidence of the same fault comes in.
        for _ in range(10):
            await asyncio.sleep(1 / PACE)
            first = watch.ranking().first
            assert first is not None
            assert first.issue == issue, watch.ranking()


async def test_a_vendors_outage_moves_the_sentence_to_they(variables: dict[str, str], tmp_path: Path) -> None:
    async with watching(variables, tmp_path) as watch:
        await watch.until(lambda ranking: watch.facts().watching and not ranking.candidates)
        await client.inject(watch.control_url, {"kind": "errors", "target": "redirect", "status": 500})
        await watch.until(lambda ranking: ranking.first is not None)
        assert blame(watch.runbook, watch.facts(), watch.ranking(), watch.health()).side == "us"
        await client.inject(watch.control_url, {"kind": "vendor", "vendor": "vercel", "state": "down"})
        await watch.poller.probe_once("vendor:vercel")
        found = blame(watch.runbook, watch.facts(), watch.ranking(), watch.health())
        assert found.side == "they"
        assert found.sentence.startswith("They: Vercel reports trouble since ")
        first = watch.ranking().first
        assert first is not None
        assert "Vercel reports trouble: Edge Functions: major outage" in first.because
        assert "a deployment went live: dpl_8xK2 " in first.because


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_pace_leaves_a_minute_for_it(kind: str) -> None:
    """Three bad samples in a row, each as late as it may come, and the job's own minute aside."""
    issue, _, because = KINDS[kind]
    runbook = load_runbook(resource("runbook.yaml")).runbook
    asked = {one.id: one.every_s for one in (*runbook.all_probes(), *runbook.metrics)}
    [signal] = [
        one
        for one in runbook.issue(issue).signals
        if because.startswith(one.because) and one.state in {"failing", "alert"}
    ]
    assert 3 * asked[signal.probe or signal.metric or ""] * (1 + JITTER) + DATABASE_DEADLINE_S < DEADLINE_S
