"""Every step of the runbook is run against the drill, or refused with its reason; none is left untried."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from isla_console.clock import Clock
from isla_console.drill.launch import Platform
from isla_console.drill.platform.postgres.server import programs
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.runbook.steps import Step
from isla_console.session.steps import Sql, StepServices
from isla_console.settings.resolve import Settings
from isla_console.settings.secret import Secret
from isla_console.sql.engine import SqlEngine, pane_session
from isla_console.sql.writing import PendingWrite, Writer
from isla_console.steps.guard import Judgement
from isla_console.steps.outcome import Outcome
from isla_console.steps.runner import Run
from tests.support.platform import running_platform
from tests.support.waiting import PATIENCE_S

RUNBOOK = load_runbook(resource("runbook.yaml")).runbook
STEPS = {step.id: step for step in RUNBOOK.all_steps()}
VENDOR_TOOLS = {"db-redeploy", "cpu-metrics", "cpu-redeploy"}
"""Steps that only a vendor's own program can do: a drill refuses them."""
WRITING_SQL = {"db-end-session", "db-vacuum", "analytics-rebuild"}
UNKNOWN_OBJECTS = {"payments-customer", "payments-resend"}
"""Which ask for an object that the drill does not have: 404, as documented."""
BAD_BY_NATURE = {"auth-google-token"}
"""Whose answer in a drill is a refusal: no rehearsal has a token of Google's."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("steps")) as running:
        yield running


@pytest_asyncio.fixture
async def services(platform: Platform, tmp_path: Path) -> AsyncIterator[StepServices]:
    """The services on the drill, with a new database to restore into and the server's own programs."""
    admin = await asyncpg.connect(platform.admin_url)
    name = f"restore_{uuid.uuid4().hex[:12]}"
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    base, _, _ = platform.admin_url.rpartition("/")
    environ = {
        **platform.environ,
        "HOME": str(tmp_path),
        "PATH": f"{programs().folder}:{os.environ['PATH']}",
        "ISLA_RESTORE_URL": f"{base}/{name}",
    }
    settings = Settings.load(environ)
    engine = SqlEngine.from_settings(settings)
    assert engine is not None
    found = StepServices(RUNBOOK, settings, sql=Sql(engine))
    found.runner._person = environ
    # The dump is the whole database's, which the read-only role of the panels may not lock.
    found.inputs.remember("DATABASE_URL", platform.admin_url, "typed")
    for input_name, text in {
        "TEST_EMAIL": "oncall@example.com",
        "GOOGLE_TOKEN": "ya29.rehearsal-token",
        "CUSTOMER_ID": "cus_unknown",
        "FROM_DATE": "2026-01-01",
        "TO_DATE": "2026-01-02",
        "DAY": "2026-01-01",
        "BACKUP_FILE": str(tmp_path / "backup.dump"),
    }.items():
        found.inputs.remember(input_name, text, "typed")
    yield found
    await found.runner.close()
    await engine.close()


async def judged(services: StepServices, step: Step) -> Judgement:
    return await services.judge(step, in_incident=True, write_problem="")


async def do(services: StepServices, step: Step) -> Outcome:
    """Run a step to its end, its picks taken from the rows of the step that offers them."""
    now = Clock().now()
    for item in services.inputs.of(step):
        if item.pick is not None and services.inputs.find(item.name, now) is None:
            if item.pick.step != step.id:
                await do(services, STEPS[item.pick.step])
            offered = services.choices(item)
            # A healthy platform has no event that was not delivered.
            assert offered or item.name == "EVENT_ID", f"{item.pick.step} offers no {item.name}"
            services.inputs.remember(item.name, offered[-1] if offered else "evt_unknown", "picked")
    assert not services.inputs.missing(step, now), step.id
    judgement = await judged(services, step)
    run = services.runner.start(step, judgement, now)
    if judgement.effect == "stream":
        await until(run, lambda: run.received >= 2)
        services.runner.stop(step.id)
    return await asyncio.wait_for(run.task, PATIENCE_S)


async def change(platform: Platform, step: Step) -> None:
    """A statement that changes something, as the SQL page runs it; what can be is rolled back."""
    writer = Writer(pane_session(Secret(platform.admin_url), "isla-console/test", "ISLA_DATABASE_ADMIN_URL"))
    warnings: list[str] = []
    try:
        if step.id == "db-vacuum":
            result = await writer.maintain(step.run or "", 60, warnings.append)
            assert result.ok, result
            return
        seen: list[PendingWrite] = []

        def show(one: PendingWrite) -> None:
            seen.append(one)
            writer.decide(False)

        values = ["2026-01-01"] if step.id == "analytics-rebuild" else ["0", *["2026-01-01T00:00:00Z"] * 2]
        result = await writer.write(step.run or "", values[: len(step.params)], 60, show)
        if step.id == "db-end-session":
            # The sessions page ends sessions, one by one: a transaction that waits cannot take it back.
            assert result.error is not None
            assert "no rollback takes that back" in result.error.message
            admin = await asyncpg.connect(platform.admin_url)
            assert await admin.fetch(step.run or "", 0, *[datetime(2026, 1, 1, tzinfo=UTC)] * 2) == []
            await admin.close()
        else:
            assert len(seen) == 1, result
            assert result.refused == "rolled back"
    finally:
        await writer.session.close()


async def until(run: Run, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            assert run.outcome is None, run.outcome
            await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("id", STEPS)
async def test_step(services: StepServices, platform: Platform, id: str) -> None:
    step = STEPS[id]
    if step.kind == "goto":
        assert step.issue is not None
        assert RUNBOOK.issue(step.issue)
        return
    if step.kind == "open":
        assert (step.url or "").startswith("https://")
        return
    if step.kind == "manual":
        assert step.text
        return
    judgement = await judged(services, step)
    if judgement.refused:
        assert step.blocked or id in VENDOR_TOOLS, judgement.refused
        return
    if step.kind == "sql" and judgement.is_guarded:
        assert id in WRITING_SQL
        await change(platform, step)
        return
    if id == "recovery-restore":
        await do(services, STEPS["recovery-backup"])
    outcome = await do(services, step)
    assert outcome.ending == ("stopped" if judgement.effect == "stream" else "done"), outcome
    assert outcome.command
    if id in BAD_BY_NATURE:
        assert outcome.met is False
        assert outcome.symptoms == ("auth-oauth",)
        return
    if step.kind == "http":
        assert outcome.status is None or outcome.status < 400 or id in UNKNOWN_OBJECTS, outcome
        if step.table and judgement.effect != "stream" and outcome.status == 200:
            assert outcome.rows is not None, outcome
    if step.kind == "shell":
        assert outcome.exit_code == 0, outcome
    assert "internal fault" not in outcome.result


def test_the_drill_answers_for_every_address(platform: Platform) -> None:
    """No address of the runbook leaves this machine in a drill."""
    for item in RUNBOOK.inputs.values():
        if item.type == "url":
            assert item.env is not None
            assert platform.environ[item.env].startswith("http://127.0.0.1:"), item.env
