"""A P0 declared at 14:00:00Z, and what happens to it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.rules.clocks import e_seconds
from isla_console.incident.rules.escalation import crossings, current_level
from isla_console.incident.rules.postmortem import postmortem
from isla_console.journal.local import JournalError, LocalJournal
from tests.incident.story import ANA, BEN, START, Console, Story, at


def _dues(story: Story) -> list[tuple[str, str, bool]]:
    return [
        (event.data["level"], event.data["due_at"][11:19], event.data["late"])
        for event in story.events
        if event.kind == "level_due"
    ]


def _keep_told(story: Story, console: Console, now: datetime) -> None:
    """Send the updates that are due, so that only the ladder rings."""
    story.do(commands.send_update, "public", "We know.", now=now)
    console.tick(now)


def test_a_level_two_is_due_at_fifteen_minutes_exactly_once_and_nags() -> None:
    story = Story()
    _keep_told(story, console := Console(story, START), at("14:04"))
    assert current_level(story.incident, at("14:14:59.999")) == "L1"
    assert crossings(story.incident, at("14:14:59.999")) == ()
    assert current_level(story.incident, at("14:15")) == "L2"

    console.run(at("14:14:58"), at("14:28"))
    assert _dues(story) == [("L2", "14:15:00", False)]
    assert [now for now, alarm in console.rang if "L2" in alarm.text] == [
        at("14:15"),
        at("14:20"),
        at("14:25"),
    ]
    _keep_told(story, console, at("14:28:30"))
    console.run(at("14:29"), at("14:31"))
    rang = [(now, alarm.level) for now, alarm in console.rang if "L2" in alarm.text]
    assert rang[-1] == (at("14:30"), "red")
    assert _dues(story) == [("L2", "14:15:00", False), ("L3", "14:30:00", False)]
    assert story.rung("L2", at("15:20")).nag == "red"


def test_b_what_was_missed_while_no_console_was_open_is_one_alarm() -> None:
    story = Story()
    first = Console(story, START)
    first.run(START, at("14:11:59"), timedelta(seconds=7))
    story.do(commands.note, "looking at the deployment", now=at("14:12"))
    before = len(story.events)

    second = Console(story, at("14:47"))
    assert len(second.rang) == 1
    alarm = second.rang[0][1]
    assert "L2 due 14:15Z" in alarm.text
    assert "L3 due 14:30Z" in alarm.text
    assert _dues(story) == [("L2", "14:15:00", True), ("L3", "14:30:00", True)]
    assert len(story.events) == before + 2
    assert second.tick(at("14:47:01")) == []

    third = Console(story, at("14:47:30"))
    assert third.rang == []
    assert len(story.events) == before + 2

    story.do(commands.acknowledge, "L3", "CTO", now=at("14:48"), via="phone")
    third.run(at("14:59:55"), at("15:00:05"))
    assert _dues(story)[-1] == ("L4", "15:00:00", False)


def test_c_a_hold_moves_the_ladder_and_wants_a_reason() -> None:
    story = Story()
    with pytest.raises(Refused, match="reason"):
        story.do(commands.hold, " ", 10, now=at("14:12"))
    with pytest.raises(Refused, match="30 min"):
        story.do(commands.hold, "waiting for the vendor", 31, now=at("14:12"))
    story.do(commands.hold, "waiting for the vendor", 10, now=at("14:12"))
    assert story.rung("L2", at("14:15")).due_at == at("14:25")
    assert e_seconds(story.incident, at("14:20")) == 12 * 60
    assert crossings(story.incident, at("14:24:59.999")) == ()
    assert [due["level"] for due in crossings(story.incident, at("14:25"))] == ["L2"]


def test_d_acknowledging_silences_one_person_at_one_level() -> None:
    story = Story()
    console = Console(story, START)
    _keep_told(story, console, at("14:04"))
    console.run(at("14:14:59"), at("14:15:01"))
    story.do(commands.acknowledge, "L2", "ana", now=at("14:16"))
    rung = story.rung("L2", at("14:20"))
    assert (rung.acknowledged_by, rung.waiting_for, rung.nag) == (("ana",), ("ben",), "nag")
    rang = console.tick(at("14:20"))
    assert [alarm.text for alarm in rang] == ["L2 due 14:15Z, 5 min ago: call ben"]
    assert story.rung("L3", at("14:20")).due_at == at("14:30")


def test_e_the_post_mortem_is_due_after_two_days_of_wall_time() -> None:
    saturday = datetime(2026, 11, 28, 20, tzinfo=UTC)
    story = Story(now=saturday)
    story.do(commands.resolve, now=saturday + timedelta(hours=3), override="seen to work")
    due = postmortem(story.incident, saturday + timedelta(hours=4))
    assert due.due_at == datetime(2026, 11, 30, 23, tzinfo=UTC)

    # Berlin sets its clocks back in the night to 2026-10-25.
    eve = datetime(2026, 10, 24, 23, tzinfo=ZoneInfo("Europe/Berlin"))
    story = Story(now=eve - timedelta(hours=1))
    story.do(commands.resolve, now=eve, override="seen to work")
    due = postmortem(story.incident, eve)
    assert due.due_at == datetime(2026, 10, 26, 21, tzinfo=UTC)


_FULL = """
import resource, signal, sys
from pathlib import Path
from isla_console.incident.record.events import parse
from isla_console.journal.local import JournalError, LocalJournal

journal = LocalJournal.open(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
events = [parse(line) for line in sys.stdin]
resource.setrlimit(resource.RLIMIT_FSIZE, (48 * 1024, hard))
saved = []
failed = None
for number, event in enumerate(events):
    try:
        journal.append([event])
        saved.append(event.id)
    except JournalError as error:
        failed = number
        assert str(error).startswith(sys.argv[1]), error
        break
assert failed is not None, "the limit was never reached"
assert [e.id for e in journal.events(events[0].incident)] == saved
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.append(events[failed:])
assert len(journal.events(events[0].incident)) == len(events)
sys.stdout.write(f"{failed}\\n")
"""


def test_f_a_full_disk_refuses_plainly_and_takes_the_same_events_later(tmp_path: Path) -> None:
    story = Story()
    for number in range(400):
        story.do(commands.note, f"note {number} " + "x" * 200, now=at("14:05") + timedelta(seconds=number))
    path = tmp_path / "state" / "journal.sqlite3"
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(path)],
        input="\n".join(event.to_json() for event in story.events),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    with LocalJournal.open(path) as journal:
        assert journal.events(story.incident.id) == story.events


def test_f_a_full_database_says_that_the_disk_is_full(tmp_path: Path) -> None:
    story = Story()
    with LocalJournal.open(tmp_path / "journal.sqlite3") as journal:
        journal.append(story.events)
        pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
        journal._connection.execute(f"PRAGMA max_page_count = {pages}")
        big = commands.note(story.incident, "x" * 100_000, author=ANA, now=at("14:05"))
        with pytest.raises(JournalError, match="the disk is full"):
            journal.append(big)
        assert journal.events(story.incident.id) == story.events
        journal._connection.execute("PRAGMA max_page_count = 100000")
        assert journal.append(big) == 1
        later = commands.note(story.incident, "here", author=BEN, now=at("14:06"))
        assert journal.append([*big, *later]) == 1
