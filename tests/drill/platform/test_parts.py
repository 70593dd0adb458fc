"""A part of the platform that fails: the person in the drill is told, and so is who reads its score."""

from __future__ import annotations

import asyncio

import pytest

from isla_console.drill.client import DrillState, Entry
from isla_console.drill.platform.live import LivePlatform
from isla_console.drill.platform.postgres.database import Database
from isla_console.drill.scenario.model import load
from isla_console.ui.controllers.drill import passing_words


async def leak() -> None:
    raise EOFError("nothing that is expected")


async def test_a_part_that_fails_is_said_with_its_cure(capfd: pytest.CaptureFixture[str]) -> None:
    live = LivePlatform(Database(1, {}), load("db-connections"), seed=1, healthy_s=None, by_hand=True)
    live._run(leak())
    await asyncio.sleep(0.05)
    said = [entry for entry in live._runner.log if entry.kind == "broken"]
    assert [entry.text for entry in said] == [
        "A part of the drill's platform failed (leak: EOFError), and what it does is missing from now on:"
        " leave the drill and start it again; platform.log has the traceback."
    ]
    assert "nothing that is expected" in capfd.readouterr().err
    hint = Entry(said[0].at, "hint", "Has the job run?")
    assert passing_words((hint, *said)) == said[0].text
    assert Entry.from_dict(said[0].to_dict()) == said[0]
    assert DrillState(entries=tuple(said)).entries[0].kind == "broken"


async def test_what_fails_while_the_drill_ends_is_no_failure_of_it() -> None:
    live = LivePlatform(Database(1, {}), load("db-connections"), seed=1, healthy_s=None, by_hand=True)
    live._run(leak())
    live.stop()
    await asyncio.sleep(0.05)
    assert live._runner.log[-1].kind == "ended"
