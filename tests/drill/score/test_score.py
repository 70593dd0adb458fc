"""The score of a drill, held to engineers who do nothing, turn wrong, and do it well."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from isla_console.drill.platform.journal_watch import actions_of
from isla_console.drill.scenario.entry import Entry, EntryKind
from isla_console.drill.scenario.model import Scenario, load
from isla_console.drill.score import record as records
from isla_console.drill.score import report
from isla_console.drill.score.record import Record
from isla_console.drill.score.scoring import Score, score
from isla_console.incident import commands
from isla_console.incident.record.events import Event, event
from isla_console.journal.local import LocalJournal
from tests.incident.story import ANA, RULES, START, Console, Story, at

BEGAN = START - timedelta(seconds=60)
OUTAGE = START - timedelta(seconds=40)
LATER = timedelta(hours=2)


def scenario() -> Scenario:
    return load("redirect-down")


def recorded(*log: tuple[datetime, EntryKind, str], end: datetime = START + LATER) -> Record:
    """A drill that began a minute before 14:00:00Z and broke 20 s later."""
    entries = [Entry(BEGAN, "phase", "All is well"), Entry(OUTAGE, "outage", "Redirects are slow")]
    entries += [Entry(when, kind, text) for when, kind, text in log]
    entries.append(Entry(end, "ended", "The drill was left"))
    return Record("r1", "redirect-down", "ana", 1, 1, False, BEGAN, tuple(entries))


def declared(**more: Any) -> Story:
    return Story("P0", issue="redirect-down", **more)


def ran(story: Story, step: str, now: datetime, effect: str = "read", exit_code: int = 0) -> None:
    data = {"step": step, "command": step, "effect": effect, "exit_code": exit_code, "duration_ms": 5}
    data |= {"output": "", "truncated": False}
    story.events.append(event("ran", data, incident=story.incident.id, author=ANA, now=now))


def good() -> tuple[Record, Story]:
    """Declares in 40 s, tells people, rolls back, soaks, resolves, goes through the checklist."""
    story = declared()
    story.do(commands.change_state, "investigating", now=at("14:00:30"))
    ran(story, "redirect-deployments", at("14:01:00"))
    story.do(commands.send_update, "public", "We are on it.", now=at("14:02:00"))
    story.measure("redirect-latency", "ok", "alert", "1240 ms", at("14:00:05"))
    ran(story, "redirect-rollback", at("14:03:00"), "destroy")
    story.measure("redirect-latency", "alert", "ok", "24 ms", at("14:03:30"))
    story.do(commands.change_state, "monitoring", now=at("14:04:00"), reason="rolled back")
    story.do(commands.send_update, "public", "It is fixed.", now=at("14:05:00"))
    story.do(commands.resolve, now=at("14:20:00"))
    story.do(commands.send_update, "public", "It is over.", now=at("14:21:00"))
    for item in story.incident.checklist:
        story.do(commands.tick, item, now=at("14:22:00"))
    log = recorded(
        (START - timedelta(seconds=30), "alarm", "The console showed the first alert"),
        (at("14:03:03"), "cure", "Roll back the deployment"),
        (at("14:03:03"), "cured", "The outage is over"),
        end=at("14:25:00"),
    )
    return log, story


def judge(record: Record, story: Story | None) -> Score:
    return score(record, scenario(), story.events if story is not None else [])


def test_the_good_engineer_has_all_points() -> None:
    judged = judge(*good())
    assert judged.points == 100
    assert {mark.title: mark.seconds for mark in judged.marks} == {
        "detected": 10,
        "declared": 40,
        "first update": 120,
        "right cause": 100,
        "mitigated": 223,
        "verified": 1240,
    }
    assert judged.updates == (3, 3)
    assert judged.levels == (0, 0), "it was mitigated before L2 was due"
    assert (judged.wrong, judged.dangerous, judged.skipped, judged.by_hand) == ((), (), (), False)


def test_who_never_looks_has_none() -> None:
    judged = judge(recorded(), None)
    assert judged.points == 0
    assert all(mark.seconds is None for mark in judged.marks)
    assert judged.skipped == ("No incident was declared",)


def test_who_declares_and_does_nothing_is_told_what_came_due() -> None:
    """The ladder, its nags and the updates come due as the model says, and the score says so."""
    story = declared()
    console = Console(story, START)
    console.run(START, at("15:06:00"))
    due = [event.data["level"] for event in story.events if event.kind == "level_due"]
    assert due == ["L2", "L3", "L4"]
    judged = judge(recorded(end=at("15:06:00")), story)
    assert judged.updates == (0, 1)
    assert judged.levels == (0, 3)
    assert judged.points == 15 - 2 * 5, "declared in time; never resolved, and the whole checklist is open"
    assert "It was never resolved" in judged.skipped
    assert judged.mark("first update").seconds is None
    rang = " ".join(alarm.text for _, alarm in console.rang)
    assert "update" in rang
    assert "L4" in rang


def test_wrong_turns_and_dangers_cost() -> None:
    record, story = good()
    log = [*record.log]
    log[-1:-1] = [
        Entry(at("14:01:10"), "wrong", "Rolled back to what serves production"),
        Entry(at("14:01:20"), "danger", "Ended a database session"),
    ]
    ran(story, "recovery-restore", at("14:01:30"), "destroy", exit_code=1)
    judged = judge(record.with_log(log), story)
    assert judged.wrong == ("Rolled back to what serves production",)
    assert judged.dangerous == (
        "Ended a database session",
        "Tried recovery-restore, which is no part of the cure",
    )
    assert judged.points == 100 - 10 - 20 - 20


def test_a_wrong_turn_that_the_platform_saw_counts_once() -> None:
    record, story = good()
    ran(story, "db-end-session", at("14:01:30"), "destroy")
    assert actions_of(story.events[-1]) == ("step:db-end-session",)
    assert judge(record, story).dangerous == (), "the scenario knows it: it is in the platform's log"


def test_a_relapse_undoes_the_cure() -> None:
    record, story = good()
    back = (*record.log[:-1], Entry(at("14:06:00"), "relapse", "The outage is back"), record.log[-1])
    judged = judge(record.with_log(back), story)
    assert judged.mark("mitigated").seconds is None
    again = (*back[:-1], Entry(at("14:20:00"), "cured", "The outage is over"), record.log[-1])
    assert judge(record.with_log(again), story).mark("mitigated").seconds == 1240


def test_a_fault_switched_off_by_hand_was_mitigated_by_nobody() -> None:
    record, story = good()
    log = [entry for entry in record.log if entry.kind not in {"cure", "cured"}]
    log.insert(-1, Entry(at("14:03:03"), "by_hand", "Healed"))
    judged = judge(record.with_log(log), story)
    assert judged.by_hand
    assert judged.mark("mitigated").points == 0


def test_a_fault_switched_on_and_off_after_the_cure_takes_nothing_back() -> None:
    record, story = good()
    again = (Entry(at("14:22:00"), "phase", "Redirects fail"), Entry(at("14:23:00"), "by_hand", "Healed"))
    judged = judge(record.with_log((*record.log[:-1], *again, record.log[-1])), story)
    assert not judged.by_hand
    assert judged.points == judge(record, story).points


@pytest.mark.parametrize(
    ("answered", "levels"),
    [("14:16:00", (1, 1)), ("14:20:00", (1, 1)), ("14:20:01", (0, 1)), (None, (0, 1))],
)
def test_a_level_is_answered_before_it_is_called_again(answered: str | None, levels: tuple[int, int]) -> None:
    story = declared()
    Console(story, START).run(at("14:14:58"), at("14:15:02"))
    if answered is not None:
        story.do(commands.acknowledge, "L2", "ana", now=at(answered))
    assert judge(recorded(end=at("14:29:00")), story).levels == levels


@pytest.mark.parametrize(
    ("sent", "seconds", "points"), [("14:05:00", 300, 15), ("14:08:00", 480, 7), ("14:30:00", 1800, 3)]
)
def test_late_is_worth_less(sent: str, seconds: float, points: int) -> None:
    story = declared()
    story.do(commands.send_update, "public", "We are on it.", now=at(sent))
    mark = judge(recorded(end=at("14:40:00")), story).mark("first update")
    assert (mark.seconds, mark.limit_s, mark.points) == (seconds, 300, points)


def test_resolved_by_override_is_not_verified() -> None:
    story = declared()
    story.measure("redirect-latency", "ok", "alert", "1240 ms", at("14:00:05"))
    story.do(commands.resolve, now=at("14:03:00"), override="the CTO says so")
    judged = judge(recorded(end=at("14:05:00")), story)
    assert judged.mark("verified").seconds is None
    assert "It was resolved before the measures had stayed normal" in judged.skipped


def test_a_quick_drill_is_judged_by_the_rules_it_was_declared_under() -> None:
    quick = {name: rule | {"first_update_min": 0.5} for name, rule in RULES["severities"].items()}
    story = declared(policy=RULES | {"severities": quick})
    story.do(commands.send_update, "public", "We are on it.", now=at("14:00:40"))
    assert judge(recorded(), story).mark("first update").limit_s == 30


def test_another_drills_incident_is_not_this_ones() -> None:
    record, story = good()
    other = Story("P1", now=START - timedelta(hours=3), issue="payments")
    assert score(record, scenario(), [*other.events, *story.events]).incident == story.incident.id


def test_what_is_journalled_tells_actions() -> None:
    story = declared()
    ran(story, "redirect-rollback", at("14:01:00"), "destroy", exit_code=1)
    assert actions_of(story.events[-1]) == (), "it failed"
    story.do(commands.mark_step, "auth-redirect-uris", "done", now=at("14:02:00"))
    assert actions_of(story.events[-1]) == ("done:auth-redirect-uris", "step:auth-redirect-uris")
    data = {"step": "analytics-rebuild", "sql": "INSERT", "mode": "write", "rows": 3, "duration_ms": 4}
    for outcome, actions in (("committed", ("step:analytics-rebuild",)), ("rolled_back", ())):
        one = event(
            "queried", data | {"outcome": outcome}, incident=story.incident.id, author=ANA, now=at("14:03:00")
        )
        assert actions_of(one) == actions


def kept(state: Path, record: Record, events: list[Event]) -> None:
    records.write(record, records.path_of(record, state))
    with LocalJournal.open(state / "journal.sqlite3") as journal:
        journal.append(events)


def test_the_report_compares_with_earlier_drills(tmp_path: Path) -> None:
    record, story = good()
    earlier = recorded(end=START - timedelta(seconds=10))
    shift = timedelta(days=1)
    moved = [Entry(entry.at - shift, entry.kind, entry.text) for entry in earlier.log]
    first = Record("r0", "redirect-down", "ben", 1, 10, True, BEGAN - shift, tuple(moved))
    kept(tmp_path, first, [])
    kept(tmp_path, record, story.events)
    (tmp_path / records.FOLDER / "broken.json").write_text("{}")
    text, wrong = report.report(tmp_path)
    assert "100 of 100 points" in text
    assert "Against 1 earlier: +100 points since the last, best 0 (ben, 2026-11-22)." in text
    assert "9f31c0a" in text, "what it was is told"
    table = text.splitlines()[-2:]
    assert table[0].split()[:6] == ["redirect-down", "2026-11-22", "13:59Z", "ben", "×10", "never"]
    assert table[1].split()[-5:] == ["02:00", "03:43", "20:40", "0", "100"]
    assert len(wrong) == 1
    assert "broken.json" in wrong[0]
    assert report.score_of("r1", tmp_path) is not None


def test_without_a_drill_there_is_no_report(tmp_path: Path) -> None:
    assert report.report(tmp_path) == ("No drill yet: isla-console drill --list\n", [])


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record, _ = good()
    path = records.path_of(record, tmp_path)
    records.write(record, path)
    assert records.read(path) == record
    assert path.stat().st_mode & 0o077 == 0
