from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Event, event
from isla_console.incident.record.state import Ledger, fold
from isla_console.incident.record.words import sentence
from isla_console.incident.report import report
from isla_console.incident.report.view import show
from isla_console.incident.rules.clocks import e_seconds, t_seconds
from isla_console.incident.rules.postmortem import postmortem
from tests.incident.story import ANA, BEN, RULES, START, Story, at
from tests.support.pace import slowness


def test_nothing_is_no_incident() -> None:
    assert fold([]) is None
    assert fold(Story().events[1:]) is None


def test_the_clocks_by_state() -> None:
    story = Story()
    story.do(commands.change_state, "investigating", now=at("14:02"))
    story.do(commands.change_state, "identified", now=at("14:05"))
    story.do(commands.change_state, "mitigating", now=at("14:08"))
    story.do(commands.change_state, "monitoring", now=at("14:10"))
    assert e_seconds(story.incident, at("14:30")) == 600
    assert t_seconds(story.incident, at("14:30")) == 1800
    story.do(commands.change_state, "investigating", now=at("14:30"), reason="it is back")
    assert e_seconds(story.incident, at("14:31")) == 660
    story.do(commands.resolve, now=at("14:40"), override="rolled back")
    assert t_seconds(story.incident, at("18:00")) == 2400
    story.do(commands.reopen, "again", now=at("15:00"))
    assert t_seconds(story.incident, at("15:00")) == 3600
    assert story.incident.resolved_at is None


def test_back_dating_adds_to_both_clocks_and_is_limited() -> None:
    story = Story()
    story.do(commands.adjust_start, at("13:50"), "first complaint", now=at("14:05"))
    assert e_seconds(story.incident, at("14:05")) == 900
    assert t_seconds(story.incident, at("14:05")) == 900
    for wrong in (at("14:01"), at("13:59:59", day=22)):
        with pytest.raises(Refused):
            story.do(commands.adjust_start, wrong, "because", now=at("14:06"))
    with pytest.raises(Refused):
        commands.declare(
            title="x",
            severity="P0",
            policy=RULES,
            runbook_sha256="",
            author=ANA,
            now=START,
            impact_started_at=START + timedelta(seconds=1),
        )


def test_free_jumps_want_a_reason_and_are_never_barred() -> None:
    story = Story()
    with pytest.raises(Refused, match="reason"):
        story.do(commands.change_state, "monitoring", now=at("14:01"))
    story.do(commands.change_state, "monitoring", now=at("14:01"), reason="fixed itself")
    with pytest.raises(Refused, match="already"):
        story.do(commands.change_state, "monitoring", now=at("14:02"), reason="x")
    with pytest.raises(Refused, match="command"):
        story.do(commands.change_state, "resolved", now=at("14:02"), reason="x")
    story.do(commands.change_state, "identified", now=at("14:02"), reason="not fixed")
    assert story.incident.state == "identified"


def test_cancel_merge_and_reopen() -> None:
    story, declared = Story(), Story(issue="database")
    other = declared.incident
    with pytest.raises(Refused):
        story.do(commands.cancel, "", now=at("14:01"))
    story.do(commands.cancel, "a test alert", now=at("14:01"))
    assert not story.incident.is_open
    assert e_seconds(story.incident, at("15:00")) == 60
    with pytest.raises(Refused):
        story.do(commands.merge, other, now=at("14:02"))
    story.do(commands.reopen, "no test at all", now=at("14:02"))
    with pytest.raises(Refused):
        story.do(commands.merge, story.incident, now=at("14:03"))
    story.do(commands.merge, other, now=at("14:03"))
    assert (story.incident.state, story.incident.merged_into) == ("merged", other.id)
    told = fold([*story.events_of(other.id), *declared.events])
    assert told is not None
    assert told.took_in == (story.incident.id,)
    assert f"The incident {story.incident.id} was merged into this one." in report(told)
    story.do(commands.reopen, "was its own", now=at("14:04"))
    assert story.incident.merged_into is None


def test_closing_wants_the_checklist_and_an_owner() -> None:
    story = Story()
    with pytest.raises(Refused, match="only a resolved"):
        story.do(commands.close, now=at("14:01"))
    story.do(commands.resolve, now=at("14:10"), override="seen to work")
    story.do(commands.tick, "resolved", now=at("14:11"), evidence="looked")
    story.do(commands.not_applicable, "status-page", "never published", now=at("14:11"))
    with pytest.raises(Refused, match="owner for the post-mortem; Metrics"):
        story.do(commands.close, now=at("14:12"))
    story.do(commands.tick, "metrics", now=at("14:12"))
    story.do(commands.change_postmortem, now=at("14:12"), owner="ben")
    story.do(commands.send_update, "public", "Over.", now=at("14:12"))
    story.do(commands.close, now=at("14:13"))
    assert story.incident.state == "closed"
    assert postmortem(story.incident, at("14:10", day=25)).due_at == at("14:10", day=25)
    assert not postmortem(story.incident, at("14:10", day=25)).is_overdue
    assert postmortem(story.incident, at("14:11", day=25)).is_overdue
    story.do(commands.change_postmortem, now=at("15:00"), state="published")
    assert not postmortem(story.incident, at("14:11", day=26)).is_overdue


def test_post_mortem_by_severity() -> None:
    for severity, asked in (("P2", True), ("P3", False)):
        story = Story(severity)
        story.do(commands.resolve, now=at("14:10"), override="works")
        due = postmortem(story.incident, at("14:11"))
        assert (due.due_at, due.asked) == (None, asked)
        story.do(commands.change_postmortem, now=at("14:12"), owner="ana")
        assert postmortem(story.incident, at("14:13")).due_at == at("14:10", day=25)


def test_the_checklist() -> None:
    story = Story()
    story.do(commands.tick, "resolved", now=at("14:11"), evidence="soak green")
    tick = story.incident.checklist["resolved"]
    assert (tick.state, tick.by, tick.evidence) == ("ticked", "ana", "soak green")
    with pytest.raises(Refused):
        story.do(commands.tick, "resolved", now=at("14:11"))
    story.do(commands.untick, "resolved", now=at("14:12"))
    assert story.incident.checklist["resolved"].state == "open"
    with pytest.raises(Refused):
        story.do(commands.tick, "nothing", now=at("14:12"))
    with pytest.raises(Refused):
        story.do(commands.not_applicable, "metrics", "", now=at("14:12"))


def test_roles_are_offered_and_accepted() -> None:
    story = Story()
    story.do(commands.accept_role, "commander", "ana", now=at("14:01"))
    with pytest.raises(Refused, match="let them offer it"):
        story.do(commands.accept_role, "commander", "ben", now=at("14:02"))
    story.do(commands.offer_role, "commander", "ben", now=at("14:03"))
    role = story.incident.roles["commander"]
    assert (role.holder, role.offered_to) == ("ana", "ben")
    story.do(commands.accept_role, "commander", "ben", now=at("14:04"), author=BEN)
    assert story.incident.commander == "ben"
    story.do(commands.release_role, "commander", now=at("14:05"))
    assert story.incident.roles["commander"].holder is None
    with pytest.raises(Refused):
        story.do(commands.release_role, "commander", now=at("14:05"))
    with pytest.raises(Refused):
        story.do(commands.accept_role, "king", "ben", now=at("14:05"))


def test_a_correction_supersedes_and_leaves_the_entry() -> None:
    story = Story()
    story.do(commands.note, "rolled back dpl_5pQ8", now=at("14:05"))
    note = story.events[-1]
    story.do(commands.correct, note.id, {"text": "rolled back dpl_5pQ9"}, now=at("14:06"))
    story.do(commands.correct, note.id, {"text": "went back to dpl_5pQ9"}, now=at("14:07"))
    incident = story.incident
    assert incident.notes[0].text == "went back to dpl_5pQ9"
    assert incident.originals[note.id] == note
    assert incident.corrections[note.id].occurred_at == at("14:07")
    assert len(incident.timeline) == 4
    for id, change in ((note.id, {"text": ""}), ("nothing", {}), (story.events[0].id, {"title": "x"})):
        with pytest.raises(Refused):
            story.do(commands.correct, id, change, now=at("14:08"))


def test_a_corrected_severity_changes_the_fold() -> None:
    story = Story()
    story.do(commands.change_severity, "P3", now=at("14:05"), reason="slip of the finger")
    story.do(commands.correct, story.events[-1].id, {"severity": "P1"}, now=at("14:06"))
    assert story.incident.severity == "P1"
    assert [change.severity for change in story.incident.severities] == ["P0", "P1"]


def test_late_notes_are_marked() -> None:
    story = Story()
    story.do(commands.note, "saw it on the bus", now=at("14:20"), at=at("13:55"))
    late = story.events[-1]
    incident = story.incident
    assert incident.timeline[0] == late
    assert incident.is_late(late)
    assert not incident.is_late(story.events[0])
    with pytest.raises(Refused):
        story.do(commands.note, "tomorrow", now=at("14:20"), at=at("14:21"))


def test_unknown_kinds_and_odd_data_are_kept_and_shown() -> None:
    story = Story()
    strange = replace(story.events[0], id="x1", kind="teleported", data={"to": "mars\x1b"})
    odd = replace(story.events[0], id="x2", kind="role_accepted", data={"role": ["commander"]})
    incident = fold([*story.events, strange, odd])
    assert incident is not None
    assert incident.unknown_kinds == ("teleported",)
    assert {event.id for event in incident.timeline} >= {"x1", "x2"}
    assert sentence(strange, incident) == "ana teleported (to: mars␛)"
    assert show(incident, at("14:05"))["state"] == "declared"


def test_a_clock_set_back_does_not_lose_what_people_did() -> None:
    story = Story()
    story.do(commands.change_state, "mitigating", now=at("15:00"))
    hour_earlier = at("14:01")
    story.do(commands.change_state, "monitoring", now=hour_earlier)
    story.do(commands.note, "clock was set back", now=at("14:02"))
    assert story.incident.state == "monitoring"
    assert [e.kind for e in story.incident.timeline][-2:] == ["state_changed", "noted"]
    assert story.events[-1].recorded_at == at("14:02")


def test_a_clock_jump_moves_nothing() -> None:
    story = Story()
    before = show(story.incident, at("14:10"))
    data = {"name": "clock", "from": "2026-11-23T14:09:00.000Z", "to": "2026-11-23T15:09:00.000Z"}
    jump = event("link_changed", data, incident=story.incident.id, author=ANA, now=at("14:09"))
    incident = fold([*story.events, jump])
    assert incident is not None
    assert show(incident, at("14:10")) == before


def test_incident_ids() -> None:
    event = "019aa000-0000-7000-8000-00000000002a"
    assert commands.incident_id(START, "redirect-down", event) == "inc-20261123-redirect-down-001a"
    assert commands.incident_id(START, "Äpfel & Birnen!", event) == "inc-20261123-apfel-birnen-001a"
    assert commands.incident_id(START, "日本", event) == "inc-20261123-incident-001a"


def test_incidents_declared_at_once_do_not_meet() -> None:
    """The same issue in the same millisecond, by consoles that know nothing of each other."""
    ids = {Story(issue="redirect-down").incident.id for _ in range(50)}
    assert len(ids) == 50
    taken = Story(issue="redirect-down").incident.id
    assert Story(issue="redirect-down", taken=[taken]).incident.id != taken
    assert all(re.fullmatch(r"inc-20261123-redirect-down-[0-9a-hjkmnp-tv-z]{4}", id) for id in ids)


def test_ten_thousand_events_fold_quickly() -> None:
    story = Story()
    incident = story.incident
    noise: list[Event] = []
    for number in range(10_000):
        now = START + timedelta(seconds=number)
        data = {
            "name": f"m{number % 6}",
            "from": "ok",
            "to": ("alert", "ok")[number % 2],
            "value": f"{number} ms",
        }
        noise.append(event("metric_changed", data, incident=incident.id, author=ANA, now=now))
    began = time.process_time()
    folded = fold([*story.events, *noise])
    assert folded is not None
    show(folded, START + timedelta(hours=3))
    assert time.process_time() - began < 0.6 * slowness()  # some 0.06 s on an idle machine

    ledger = Ledger()
    ledger.add([*story.events, *noise])
    more = event("noted", {"text": "x"}, incident=incident.id, author=ANA, now=START + timedelta(hours=3))
    began = time.process_time()
    ledger.add([more])
    assert time.process_time() - began < 0.1 * slowness()
    assert ledger.incident == fold([more, *noise, *story.events])


def test_two_action_items_added_in_the_same_moment_are_two() -> None:
    """Two consoles of one person see the same incident, and each adds one: neither is lost."""
    story = Story()
    before = story.incident
    for text in ("Alert on 404s", "Warm the cache"):
        story.events += commands.add_action(before, text, "detect", author=ANA, now=at("14:10"))
    assert sorted(action.text for action in story.incident.actions.values()) == [
        "Alert on 404s",
        "Warm the cache",
    ]
