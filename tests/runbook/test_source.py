"""The shipped runbook holds everything of the document it was made from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from isla_console.resources import resource
from isla_console.runbook.load import Loaded

FRAGMENTS = Path(__file__).parent / "source_fragments.txt"


def flat(text: str) -> str:
    """White space as one blank each."""
    return " ".join(text.split())


def sections() -> dict[str, list[str]]:
    """The fragments by what has to hold for them: one a line, white space flattened."""
    found: dict[str, list[str]] = {}
    for line in FRAGMENTS.read_text("utf-8").splitlines():
        if line.startswith("## "):
            found[line.removeprefix("## ").split(":")[0]] = []
        elif line.strip():
            list(found.values())[-1].append(flat(line))
    return found


def values(data: Any) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(data, str):
        yield flat(data)
    elif isinstance(data, dict):
        for value in data.values():
            yield from values(value)
    elif isinstance(data, list):
        for value in data:
            yield from values(value)


@pytest.fixture(scope="module")
def texts() -> set[str]:
    return set(values(yaml.load(resource("runbook.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)))


@pytest.mark.parametrize("fragment", sections()["whole"])
def test_value_is_kept_exactly(texts: set[str], fragment: str) -> None:
    assert fragment in texts


@pytest.mark.parametrize("fragment", sections()["inside"])
def test_words_are_kept(texts: set[str], fragment: str) -> None:
    assert any(fragment.lower() in text.lower() for text in texts)


def test_counts(shipped: Loaded) -> None:
    runbook = shipped.runbook
    assert [issue.number for issue in runbook.issues] == [1, 2, 3, 4, 5, 6]
    assert [procedure.number for procedure in runbook.procedures] == [7, 8, 9]
    assert len(runbook.procedure("full-outage").steps) == 8
    counted = (
        [contact for contact in runbook.contacts if contact.contact],
        runbook.severities,
        runbook.health_checks,
        runbook.metrics,
        runbook.templates,
        runbook.checklist,
        runbook.escalation.levels,
    )
    assert [len(items) for items in counted] == [5, 4, 4, 6, 2, 7, 4]
    assert all(issue.symptoms and issue.diagnosis and issue.resolutions for issue in runbook.issues)
    assert [len(issue.symptoms) for issue in runbook.issues] == [3] * 6
    assert runbook.issue("redirect-down").follow_up


def test_causes_in_order(shipped: Loaded) -> None:
    causes = [[cause.cause for cause in issue.resolutions] for issue in shipped.runbook.issues[1:]]
    assert causes == [
        ["Too many connections", "Connection pool exhausted", "Database performance"],
        ["Magic links not sending", "OAuth failing", "Session issues"],
        ["Webhook failures", "Subscription issues", "Database sync"],
        ["Memory leaks", "High CPU", "Bundle size"],
        ["Processing delays", "Missing data"],
    ]


def test_ladder_as_written(shipped: Loaded) -> None:
    assert [(level.id, level.from_min, level.targets) for level in shipped.runbook.escalation.levels] == [
        ("L1", 0, ("On-call engineer",)),
        ("L2", 15, ("Platform lead", "Senior engineer")),
        ("L3", 30, ("CTO", "External support (Vercel/Supabase)")),
        ("L4", 60, ("CEO",)),
    ]


# Lines of the original that fail, do something else than it says, or do harm. None of them may be run.
WRONG = (
    "vercel logs app.isla.link",
    "vercel ls app.isla.link",
    "vercel rollback app.isla.link",
    "--metrics",
    "--tail",
    "migration revert",
    "migration down",
    "stripe payments",
    "stripe trigger",
    "--print-secret",
    "pg_cron_job_status",
    "SELECT * FROM subscriptions",
)


@pytest.mark.parametrize("wrong", WRONG)
def test_nothing_wrong_can_be_run(shipped: Loaded, wrong: str) -> None:
    for step in shipped.runbook.all_steps():
        if wrong in (step.run or "") or wrong in (step.cli or ""):
            assert step.blocked, step.id


def test_what_is_blocked(shipped: Loaded) -> None:
    blocked = {step.id for step in shipped.runbook.all_steps() if step.blocked}
    assert blocked == {"payments-trigger", "payments-print-secret", "cpu-bundle", "rollback-migration"}


def test_what_changes_production_can_be_looked_at_first(shipped: Loaded) -> None:
    for step in shipped.runbook.all_steps():
        if step.effect in ("write", "destroy") and not step.blocked and step.kind != "manual":
            assert step.preview, step.id
            assert step.undo, step.id
            assert shipped.runbook.step(step.preview).effect == "read"
