"""A recorded incident on the real screens: it passes by again, and nothing is done or written."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from isla_console import cli
from isla_console.incident import commands
from isla_console.incident.record.events import Event
from isla_console.incident.record.facts import MeasuredChange
from isla_console.journal.interchange import export_lines
from isla_console.journal.local import JournalError, LocalJournal
from isla_console.journal.recorded import read_recorded
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.session.replay import RecordedMonitor, Replay, ReplaySession, choose
from isla_console.settings.resolve import Settings
from isla_console.ui.commands import BY_ID, COMMANDS, LOOKING
from isla_console.ui.main.footer import KeyLine
from isla_console.ui.shell import Shell
from tests.drill.score.test_score import good
from tests.incident.story import Story, at
from tests.support.console import console_app
from tests.support.pilot import settle


class Watch:
    """A steady clock moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def recorded() -> list[Event]:
    _, story = good()
    return story.events


def replayed(home: Path, watch: Watch, speed: float = 10) -> Shell:
    settings = Settings.load({"HOME": str(home), "ISLA_STATE_DIR": str(home / "state")})
    session = ReplaySession(settings, Replay(recorded(), speed, steady=watch))
    return console_app(settings, session)


def test_its_clock_runs_at_its_speed_and_stops_at_the_end() -> None:
    watch = Watch()
    replay = Replay(recorded(), 10, steady=watch)
    assert replay.until(replay.clock.now()) == []
    watch.seconds = 2
    assert [event.kind for event in replay.until(replay.clock.now())] == ["declared"]
    watch.seconds = 2 + 18
    assert replay.clock.now() == at("14:03:00")
    watch.seconds = 100_000
    assert replay.clock.now() == replay.end == at("14:22:20")
    assert replay.until(replay.end) == replay.events


async def test_the_screens_show_what_was_known_then(tmp_path: Path) -> None:
    watch = Watch()
    app = replayed(tmp_path, watch)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        state = app.main.state
        assert state is not None
        assert state.incident is None
        assert re.match(r"inc-20261123-redirect-down-\w{4} · ×10 · ", state.replay)
        watch.seconds = 2 + 12
        await app.program.look()
        state = app.main.state
        assert state is not None
        assert state.incident is not None
        assert state.incident.state == "investigating"
        reading = state.reading("redirect-latency")
        assert reading is not None
        assert (reading.state, reading.text) == ("alert", "1240 ms")
        unmeasured = state.reading("db-connections")
        assert unmeasured is not None
        assert unmeasured.state == "unknown", "what was not journalled is not green"
        watch.seconds = 100_000
        await app.program.look()
        state = app.main.state
        assert state is not None
        assert state.incident is not None
        assert state.incident.state == "resolved"
        assert state.replay.endswith("· over")
        await pilot.press("d", "space", "x", "n", "k", "e")
        await settle(pilot)
        assert len(app.screen_stack) == 1, "no sheet opens: nothing is done"
        assert len(state.incident.timeline) == len(recorded())
    assert not (tmp_path / "state").exists(), "nothing is written"


def test_what_was_measured_before_the_declaration_is_red_before_it() -> None:
    """The declaration wrote it down later; the console had shown it."""
    way = MeasuredChange("metric", "redirect-latency", "ok", "alert", "1240 ms", at("13:58"))
    story = Story("P1", measured=[way])
    replay = Replay(story.events, 10, steady=Watch())
    monitor = RecordedMonitor(replay, load_runbook(resource("runbook.yaml")).runbook)

    def shown(moment: datetime) -> tuple[str, str]:
        [found] = [one for one in monitor.snapshot(moment).metrics if one.id == "redirect-latency"]
        return found.state, found.text

    assert shown(at("13:57:59")) == ("ok", "")
    assert shown(at("13:58:01")) == ("alert", "1240 ms")
    assert shown(at("14:00:01")) == ("alert", "1240 ms")


def test_it_stands_still_and_changes_speed_without_a_jump() -> None:
    watch = Watch()
    replay = Replay(recorded(), 10, steady=watch)
    watch.seconds = 2 + 6
    assert replay.clock.now() == at("14:01:00")
    replay.pause()
    watch.seconds += 1000
    assert (replay.clock.now(), replay.pace) == (at("14:01:00"), "paused")
    replay.faster()
    assert (replay.clock.now(), replay.speed) == (at("14:01:00"), 20)
    replay.pause()
    watch.seconds += 3
    assert (replay.clock.now(), replay.pace) == (at("14:02:00"), "×20")
    for _ in range(9):
        replay.faster(-1)
    assert replay.speed == 1
    watch.seconds += 5
    assert replay.clock.now() == at("14:02:05")
    for _ in range(9):
        replay.faster()
    assert replay.speed == 120
    odd = Replay(recorded(), 7, steady=watch)
    odd.faster(-1)
    assert odd.speed == 5


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
async def test_its_keys_and_footer(tmp_path: Path, size: tuple[int, int]) -> None:
    watch = Watch()
    app = replayed(tmp_path, watch)

    def shown() -> tuple[str, datetime]:
        state = app.main.state
        assert state is not None
        return state.replay.split(" · ")[1], state.now

    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        watch.seconds = 2 + 12
        await app.program.look()
        await pilot.press("space")
        await settle(pilot)
        watch.seconds += 60
        app.program.console.refresh_state()
        assert shown() == ("paused", at("14:02:00"))
        await pilot.press("plus", "space")
        await settle(pilot)
        watch.seconds += 3
        app.program.console.refresh_state()
        assert shown() == ("×20", at("14:03:00"))
        await pilot.press("minus", "minus")
        await settle(pilot)
        assert shown() == ("×5", at("14:03:00"))
        assert len(app.screen_stack) == 1
        keys = app.main.query_one("#keys", KeyLine).lines[0].plain
        assert "space pause  + faster  - slower" in keys


async def test_what_is_left_is_only_looking(tmp_path: Path) -> None:
    assert {BY_ID[id].id for id in LOOKING} == LOOKING
    acting = {command.id for command in COMMANDS} - LOOKING
    assert {"declare", "tick", "state", "note", "escalate", "check", "fault"} <= acting


def test_it_reads_a_journal_without_touching_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with LocalJournal.open(path) as journal:
        journal.append(recorded())
    path.chmod(0o400)
    before = path.stat().st_mtime_ns
    assert list(read_recorded(path).events) == recorded_in_order(path)
    assert path.stat().st_mtime_ns == before


def recorded_in_order(path: Path) -> list[Event]:
    with LocalJournal.open(path) as journal:
        return [event for _, event in journal.since(0)]


def test_it_reads_exported_lines(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    events = recorded()
    path.write_text("".join(export_lines(events)))
    assert sorted(read_recorded(path).events, key=lambda event: event.id) == sorted(
        events, key=lambda event: event.id
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no event"),
        (b"not json\n", "line 1: not JSON"),
        (b"SQLite format 3\x00" + b"\xff" * 512, "damaged"),
    ],
)
def test_what_is_no_recording_is_said(
    tmp_path: Path, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "recording"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=said):
        read_recorded(path)
    assert cli.main(["replay", str(path)]) == 1
    assert said in capsys.readouterr().err


def test_of_several_incidents_the_last_or_the_one_asked_for() -> None:
    story = Story("P1", issue="payments", now=at("09:00:00"))
    story.do(commands.note, "first", now=at("09:01:00"))
    events = [*story.events, *recorded()]
    assert choose(events, "")[0].data["issue"] == "redirect-down"
    assert choose(events, story.incident.id)[0].data["issue"] == "payments"
    with pytest.raises(ValueError, match="which incident"):
        choose(events, "inc-1999")


def test_it_needs_a_little_time_before_the_first_and_after_the_last() -> None:
    replay = Replay(recorded(), 60, steady=Watch())
    assert replay.events[0].recorded_at - replay.clock.now() == timedelta(minutes=2)
