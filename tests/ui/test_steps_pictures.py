"""Golden pictures of doing a step: the guard of a rollback, and the page after it."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from textual.pilot import Pilot

from isla_console.drill.platform.services import vercel
from isla_console.drill.scenario.faults import Faults
from isla_console.drill.scenario.model import load
from isla_console.drill.scenario.runner import ScenarioRunner
from isla_console.steps import http, runner
from isla_console.ui.sheets.ask import AskScreen
from isla_console.ui.sheets.guard import GuardScreen
from isla_console.ui.shell import Shell
from tests.support.frozen import NOW, OUTAGE, frozen_app
from tests.support.pilot import settle
from tests.ui.test_steps import at, declare, ended, until

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(140, 40), (80, 24)], ids=["140x40", "80x24"])
TOKEN = "vcp_rehearsal_token_0123456789"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The console with Vercel's API in this process, at its real address; nothing takes any time."""
    faults = Faults()
    scenario = ScenarioRunner(load("redirect-down"), faults, lambda: NOW, by_hand=True)
    deployments = vercel.Deployments(scenario.observe, now=lambda: NOW, rollback_s=0.01)
    service = vercel.vercel_service(deployments, faults, random.Random(1), TOKEN)

    async def client(timeout_s: float | None, trust_env: bool) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=service), timeout=timeout_s)

    monkeypatch.setattr(http, "_client", client)
    monkeypatch.setattr(runner, "time", SimpleNamespace(perf_counter=lambda: 0.0))
    environ = {
        "VERCEL_TOKEN": TOKEN,
        "VERCEL_PROJECT_ID": vercel.PROJECT,
        "VERCEL_ORG_ID": vercel.TEAM,
        "ISLA_VERCEL_API_URL": "https://api.vercel.com",
    }
    return frozen_app(tmp_path, OUTAGE, environ=environ)


def to_the_guard(app: Shell) -> Callable[[Pilot[int]], Awaitable[None]]:
    async def run(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await declare(app, pilot)
        await at(app, pilot, "redirect-rollback")
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, AskScreen))
        await settle(pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, GuardScreen))
        await settle(pilot)
        await pilot.press(*"dpl_5pQ")
        await settle(pilot)

    return run


@SIZES
def test_guard(snap_compare: Compare, app: Shell, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=to_the_guard(app))


@SIZES
def test_rolled_back(snap_compare: Compare, app: Shell, size: tuple[int, int]) -> None:
    async def run(pilot: Pilot[int]) -> None:
        await to_the_guard(app)(pilot)
        await pilot.press("9", "enter", *"slow", "enter")
        await ended(app, "redirect-rollback")
        await settle(pilot)
        await at(app, pilot, "redirect-rollback-progress")
        await pilot.press("enter")
        await ended(app, "redirect-rollback-progress")
        await settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=run)
