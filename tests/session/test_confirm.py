"""What is confirmed before a change: found out by asking, and nothing but asked; or a refusal and why."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from isla_console.session.confirm import Confirmation, Refusal, make_confirmation
from isla_console.steps import backup, rollback
from isla_console.steps.guard import Judgement
from isla_console.steps.outcome import Outcome
from tests.session.support import (
    CANDIDATE,
    OTHER,
    SERVING,
    TOKEN,
    StepConsole,
    Vercel,
    open_console,
    vercel_api,
)
from tests.support.frozen import NOW
from tests.support.runbook import shell

DESTROY = Judgement("destroy", ("it changes which deployment serves production",))
ROLLBACK = "redirect-rollback"


@pytest.fixture
async def api() -> AsyncIterator[Vercel]:
    async with vercel_api() as found:
        yield found


@pytest.fixture
async def console(tmp_path: Path, api: Vercel) -> AsyncIterator[StepConsole]:
    """A console at Vercel's stand-in, its incident declared, the deployments read, one of them chosen."""
    async with open_console(tmp_path, environ=api.environ) as found:
        await found.declare()
        await found.do("redirect-rollback-candidates")
        found.session.step_services.inputs.remember("ROLLBACK_TO", CANDIDATE, "picked")
        yield found


async def asked(console: StepConsole, id: str, judgement: Judgement = DESTROY) -> Confirmation | Refusal:
    step = console.session.step_services.step(id)
    twin = console.session.step_services.runner.outcome(step.preview or "")
    return await make_confirmation(console.session, step, judgement, twin)


async def confirmed(console: StepConsole, id: str, judgement: Judgement = DESTROY) -> Confirmation:
    found = await asked(console, id, judgement)
    assert isinstance(found, Confirmation), found
    return found


@pytest.mark.parametrize(
    ("typed", "good"),
    [
        ("dpl_5pQ9sLhYd3Kx", True),
        ("dpl_5pQ9", True),
        ("dpl_5pQ", False),
        ("dpl_", False),
        ("", False),
        ("yes", False),
        ("dpl_1aA0mRcPj9Vg", False),
        (" dpl_5pQ9sLhYd3Kx ", True),
    ],
)
def test_what_names_the_object(typed: str, good: bool) -> None:
    found = Confirmation(
        "Roll back", "destroy", "Which?", "dpl_5pQ9sLhYd3Kx", NOW, ("dpl_5pQ9sLhYd3Kx", "dpl_1aA0mRcPj9Vg")
    )
    assert (found.problem(typed) == "") is good
    alike = replace(found, wanted="dpl_12345678a", others=("dpl_12345678a", "dpl_12345678b"))
    assert alike.problem("dpl_12345678")


async def test_a_rollback_shows_both_sides(console: StepConsole, api: Vercel) -> None:
    found = await confirmed(console, ROLLBACK)
    assert found.sides is not None
    assert found.sides.serving is not None
    assert (found.sides.serving.id, found.sides.serving.commit) == (SERVING, "9f31c0a".ljust(40, "0"))
    assert (found.sides.target.id, found.sides.target.author) == (CANDIDATE, "ben")
    assert found.twin is None, "its rows are the sides already"
    assert (found.title, found.effect) == ("Roll back production", "destroy")
    assert (found.question, found.wanted) == ("Type it. Deployment to go back to:", CANDIDATE)
    assert OTHER in found.others
    assert SERVING not in found.others
    assert (found.who, found.with_reason) == ("ana · P1 · journalled", True)
    facts = dict(found.facts)
    assert list(facts) == ["What it changes", "Undo", "Sends", "Raised because"]
    assert facts["Undo"] == f"promote {SERVING}"
    assert facts["Raised because"] == DESTROY.reasons[0]
    assert facts["Sends"].startswith(f"POST {api.environ['ISLA_VERCEL_API_URL']}/v1/projects/")
    assert TOKEN not in repr(found)


async def test_it_only_asks(console: StepConsole, api: Vercel) -> None:
    """Confirming is no change: not at Vercel, not in what the session knows."""
    services = console.session.step_services
    before = (dict(services.undo), dict(services.progress), services.inputs.public(services.step(ROLLBACK)))
    await confirmed(console, ROLLBACK)
    assert {method for _, method, _ in api.requests.asked} == {"GET"}
    assert api.deployments.serving == SERVING
    assert before == (services.undo, services.progress, services.inputs.public(services.step(ROLLBACK)))


async def test_an_undo_is_not_mistaken_for_what_it_takes_back(console: StepConsole, api: Vercel) -> None:
    services = console.session.step_services
    api.deployments.serving = CANDIDATE
    services.undo[ROLLBACK] = rollback.undo_step(services.step(ROLLBACK), SERVING)
    found = await confirmed(console, f"{ROLLBACK}.undo")
    assert (found.question, found.wanted) == ("Type it. Deployment to promote:", SERVING)
    assert found.others == (CANDIDATE,)
    assert found.problem(CANDIDATE) == f"{CANDIDATE} is another one; here it is {SERVING}"
    assert found.sides is not None
    assert found.sides.serving is not None
    assert (found.sides.serving.id, found.sides.target.id) == (CANDIDATE, SERVING)


@pytest.mark.parametrize(
    ("target", "serving", "status", "reason"),
    [
        ("dpl_unknown", SERVING, "", "dpl_unknown is none of the deployments that production can go back to"),
        (
            CANDIDATE,
            CANDIDATE,
            "",
            f"{CANDIDATE} serves production already: going back to it changes nothing",
        ),
        (CANDIDATE, SERVING, "pending", f"another change is under way: promote to {OTHER}"),
        (CANDIDATE, SERVING, "in-progress", f"another change is under way: promote to {OTHER}"),
    ],
)
async def test_a_rollback_that_leads_nowhere(
    console: StepConsole, api: Vercel, target: str, serving: str, status: str, reason: str
) -> None:
    console.session.step_services.inputs.remember("ROLLBACK_TO", target, "typed")
    api.deployments.serving = serving
    if status:
        api.deployments.alias_request = {"type": "promote", "jobStatus": status, "toDeploymentId": OTHER}
    assert await asked(console, ROLLBACK) == Refusal(reason)


async def test_what_serves_now_must_be_known(tmp_path: Path, api: Vercel) -> None:
    async with open_console(tmp_path, environ=api.environ) as console:
        await console.do("redirect-rollback-candidates")
        console.session.step_services.inputs.remember("ROLLBACK_TO", CANDIDATE, "picked")
        console.session.step_services.inputs.remember("VERCEL_TOKEN", "vcp_expired_0123456789", "typed")
        assert await asked(console, ROLLBACK) == Refusal(
            "what production serves now is not known: the project's answer is 403"
        )


@pytest.mark.parametrize(
    ("run", "typed", "question", "wanted"),
    [
        ("touch x", {}, "Type the step's name, deed:", "deed"),
        ('touch "$WHO"', {"WHO": "ben"}, "Type it. Whom to greet:", "ben"),
        ('touch "$KEY"', {"KEY": "hunter2hunter2"}, "Type the step's name, deed:", "deed"),
        ('touch "$KEY" "$WHO"', {"KEY": "hunter2hunter2", "WHO": "x"}, "Type it. Whom to greet:", "x"),
        ('echo "$VERCEL_PROJECT_ID"', {"VERCEL_PROJECT_ID": "prj_1"}, "Type the step's name, deed:", "deed"),
        (
            'touch "$WHO" "$ROLLBACK_TO"',
            {"WHO": "x", "ROLLBACK_TO": "dpl_1"},
            "Type it. Deployment to go back to:",
            "dpl_1",
        ),
    ],
)
async def test_what_is_typed(
    tmp_path: Path, run: str, typed: dict[str, str], question: str, wanted: str
) -> None:
    """What was picked, else what was asked for, else the step's own name; never a secret or a setting."""
    async with open_console(tmp_path, shell("deed", run, "write")) as console:
        for name, value in typed.items():
            console.session.step_services.inputs.remember(name, value, "typed")
        found = await confirmed(console, "deed", Judgement("write"))
        assert (found.question, found.wanted) == (question, wanted)
        assert (found.who, found.with_reason) == ("ana · no incident", False)
        assert "hunter2" not in repr(found)


async def test_a_restore_names_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing_in_the_way(dsn: str, production: str, file: str) -> backup.CheckResult:
        assert (dsn, production) == ("postgresql://ana:hunter22@db/fresh", "")
        return backup.CheckResult(("the target is empty",))

    monkeypatch.setattr(backup, "before_restore", nothing_in_the_way)
    steps = shell("restore", 'pg_restore "$BACKUP_FILE"', "destroy", more="        connect: RESTORE_URL\n")
    async with open_console(tmp_path, steps) as console:
        inputs = console.session.step_services.inputs
        inputs.remember("RESTORE_URL", "postgresql://ana:hunter22@db/fresh", "typed")
        inputs.remember("BACKUP_FILE", "/tmp/b.dump", "typed")
        found = await confirmed(console, "restore")
        assert (found.question, found.wanted) == ("Type the database to restore into:", "fresh")
        assert found.findings == ("the target is empty",)
        assert "hunter22" not in repr(found)


async def test_a_backup_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "b.dump"
    taken.write_text("x")
    steps = shell("dump", 'pg_dump --file="$BACKUP_FILE"', "write", more="        connect: DATABASE_URL\n")
    async with open_console(tmp_path, steps) as console:
        inputs = console.session.step_services.inputs
        inputs.remember("DATABASE_URL", "postgresql://ana@127.0.0.1:9/isla", "typed")
        inputs.remember("BACKUP_FILE", str(taken), "typed")
        found = await asked(console, "dump", Judgement("write"))
        assert found == Refusal(f"{taken} is there already: a backup never overwrites one")


async def test_the_twin_answers(tmp_path: Path) -> None:
    steps = shell("count", "echo '[{\"n\": 3}]'", more="        table: '[]'\n") + shell(
        "clear", "touch x", "write", more="        preview: count\n        undo: Fill it again.\n"
    )
    async with open_console(tmp_path, steps) as console:
        run = await console.do("count")
        assert run is not None
        assert isinstance(run.outcome, Outcome)
        found = await confirmed(console, "clear", Judgement("write"))
        assert found.twin is not None
        assert (found.twin.title, found.twin.rows) == ("Step count", ({"n": 3},))
        assert found.facts == (("Undo", "Fill it again."), ("Runs", "touch x"))
