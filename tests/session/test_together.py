"""Several consoles on one journal: one tick counts, nobody undoes, and two declarations of one issue meet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.record.state import fold
from isla_console.incident.rules.twins import AT_ONCE, twin_of
from isla_console.session.declare import Declaration, declare
from isla_console.session.session import Session
from isla_console.settings.resolve import Settings
from tests.incident.story import ANA, BEN, START, Story, at
from tests.support.frozen import CALM, FrozenMonitor, Moment, snapshot


async def _session(home: Path, actor: str, moment: Moment) -> Session:
    environ = {"HOME": str(home), "ISLA_ACTOR": actor, "ISLA_STATE_DIR": str(home / "state")}
    session = Session(
        Settings.load(environ),
        moment.clock,
        make_monitor=lambda runbook: FrozenMonitor(lambda now: snapshot(runbook, CALM, now)),
    )
    await session.load_runbook()
    await session.open_journal()
    session.open_monitor()
    return session


async def _declare(session: Session, issue: str | None = "redirect-down") -> None:
    state = session.state(session.clock.now())
    assert state is not None
    assert await declare(session, Declaration("Redirects", "P1", issue), state)


async def test_two_consoles_that_declare_at_once_have_two_ids_and_the_later_is_told(tmp_path: Path) -> None:
    moment = Moment()
    ana, ben = await _session(tmp_path, "ana", moment), await _session(tmp_path, "ben", moment)
    await _declare(ana)
    await _declare(ben)
    await ana.look()
    await ben.look()
    assert ana.incident is not None
    assert ben.incident is not None
    assert ana.incident.id != ben.incident.id
    told = [session.twin() for session in (ana, ben)]
    assert sorted(one is None for one in told) == [False, True], "one of them, and not both"
    assert [session.twin() for session in (ana, ben)] == [None, None], "once"
    assert ben.same_issue("redirect-down") == ben.journal.incident(ana.incident.id)
    assert ben.same_issue("payments") is None
    for session in (ana, ben):
        await session.close()


@pytest.mark.parametrize(
    ("issue", "after", "is_twin"),
    [
        ("redirect-down", timedelta(0), True),
        ("redirect-down", AT_ONCE, True),
        ("redirect-down", AT_ONCE + timedelta(milliseconds=1), False),
        ("payments", timedelta(0), False),
    ],
)
def test_what_is_a_twin(issue: str, after: timedelta, is_twin: bool) -> None:
    first, second = Story(issue="redirect-down"), Story(issue=issue, now=START + after)
    pair = (first.incident, second.incident)
    later = max(pair, key=lambda one: (one.declared_at, one.id))
    earlier = min(pair, key=lambda one: (one.declared_at, one.id))
    assert twin_of(later, pair) == (earlier if is_twin else None)
    assert twin_of(earlier, pair) is None
    first.do(commands.cancel, "a test", now=at("14:05"))
    second.do(commands.cancel, "a test", now=at("14:05"))
    assert twin_of(later, (first.incident, second.incident)) is None


def test_five_consoles_tick_one_step_and_it_is_done_once() -> None:
    """Each saw it open: the first did it, the others' marks say no more, and nobody undoes."""
    story = Story()
    before = story.incident
    for index in range(5):
        now = START + timedelta(seconds=60, milliseconds=index)
        author = (ANA, BEN)[index % 2]
        story.events += commands.mark_step(before, "warm-cache", "done", author=author, now=now)
    record = story.incident.steps["warm-cache"]
    assert (record.state, record.by, record.at) == ("done", "ana", START + timedelta(seconds=60))
    with pytest.raises(Refused, match="ana did it at 14:01:00Z"):
        story.do(commands.mark_step, "warm-cache", "done", now=at("14:02"))


def test_only_what_was_seen_is_taken_back() -> None:
    story = Story()
    story.do(commands.mark_step, "warm-cache", "done", now=at("14:01"))
    seen = story.incident.steps["warm-cache"]
    story.do(commands.mark_step, "warm-cache", "undone", now=at("14:02"), seen=seen)
    with pytest.raises(Refused, match="open already"):
        story.do(commands.mark_step, "warm-cache", "undone", now=at("14:03"))
    story.do(commands.mark_step, "warm-cache", "done", now=at("14:04"), author=BEN)
    with pytest.raises(Refused, match="changed meanwhile"):
        story.do(commands.mark_step, "warm-cache", "undone", now=at("14:05"), seen=seen)
    assert story.incident.steps["warm-cache"].by == "ben"

    story.do(commands.tick, "resolved", now=at("14:06"))
    ticked = story.incident.checklist["resolved"]
    with pytest.raises(Refused, match="ana ticked it at 14:06:00Z"):
        story.do(commands.tick, "resolved", now=at("14:07"))
    story.do(commands.untick, "resolved", now=at("14:08"), seen=ticked)
    story.do(commands.tick, "resolved", now=at("14:09"), author=BEN)
    with pytest.raises(Refused, match="ben changed it"):
        story.do(commands.untick, "resolved", now=at("14:10"), seen=ticked)

    story.do(commands.see_symptom, "slow", now=at("14:11"))
    with pytest.raises(Refused, match="ana said so at 14:11:00Z"):
        story.do(commands.see_symptom, "slow", now=at("14:12"))
    story.do(commands.see_symptom, "slow", now=at("14:12"), seen=False)


def test_only_the_hold_that_was_seen_is_ended() -> None:
    story = Story()
    story.do(commands.hold, "vendor", 5, now=at("14:01"))
    seen = story.incident.holds[0].started_at
    story.do(commands.end_hold, now=at("14:02"), seen=seen)
    story.do(commands.hold, "another", 5, now=at("14:03"), author=BEN)
    with pytest.raises(Refused, match="another hold is on, by ben: another"):
        story.do(commands.end_hold, now=at("14:04"), seen=seen)
    assert fold(story.events) is not None
