from __future__ import annotations

from datetime import timedelta

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.rules.alarms import alarms, heard_before
from isla_console.incident.rules.escalation import crossings, current_level, ladder, next_rung
from isla_console.incident.rules.quiet import quiet_since
from tests.incident.story import AS_WRITTEN, BEN, START, Console, Story, at


def _due(story: Story, clock: str) -> list[tuple[str, str, str]]:
    return [
        (crossing["level"], crossing["due_at"][11:16], crossing["cause"])
        for crossing in crossings(story.incident, at(clock))
    ]


def test_levels_are_cumulative() -> None:
    story = Story()
    statuses = [rung.status for rung in ladder(story.incident, at("15:01"))]
    assert statuses == ["engaged", "engaged", "engaged", "current"]
    assert [rung.status for rung in ladder(story.incident, at("14:00"))] == [
        "current",
        "upcoming",
        "upcoming",
        "upcoming",
    ]


@pytest.mark.parametrize(
    ("severity", "due", "statuses"),
    [
        ("P0", ["L2", "L3", "L4"], ["engaged", "engaged", "engaged", "current"]),
        ("P1", ["L2", "L3", "L4"], ["engaged", "engaged", "engaged", "current"]),
        ("P2", ["L2"], ["engaged", "current", "silent", "silent"]),
        ("P3", [], ["current", "by_hand", "by_hand", "by_hand"]),
    ],
)
def test_the_ladder_by_severity(severity: str, due: list[str], statuses: list[str]) -> None:
    story = Story(severity)
    assert [level for level, _, _ in _due(story, "16:00")] == due
    assert [rung.status for rung in ladder(story.incident, at("16:00"))] == statuses
    written = Story(severity, policy=AS_WRITTEN)
    assert [level for level, _, _ in _due(written, "16:00")] == ["L2", "L3", "L4"]


def test_raising_the_severity_looks_again_at_once() -> None:
    story = Story("P2")
    story.do(commands.change_severity, "P0", now=at("14:40"), reason="everyone is hit")
    assert _due(story, "14:40") == [("L2", "14:15", "time"), ("L3", "14:40", "severity")]
    assert story.rung("L4", at("14:40")).due_at == at("15:00")


def test_lowering_the_severity_calls_off_only_what_is_to_come() -> None:
    story = Story("P0")
    story.do(commands.change_severity, "P3", now=at("14:20"), reason="few are hit")
    assert _due(story, "16:00") == [("L2", "14:15", "time")]
    assert current_level(story.incident, at("16:00")) == "L2"


def test_an_earlier_impact_start_makes_levels_due_there_and_then() -> None:
    story = Story()
    story.do(commands.adjust_start, at("13:40"), "seen in the logs", now=at("14:05"))
    assert _due(story, "14:05") == [("L2", "14:05", "adjustment")]
    assert story.rung("L3", at("14:05")).due_at == at("14:10")
    back_dated = Story(impact_started_at=at("13:40"))
    assert _due(back_dated, "14:00") == [("L2", "14:00", "adjustment")]


def test_a_severity_raised_while_mitigated_calls_when_it_regresses() -> None:
    story = Story("P3")
    story.do(commands.change_state, "monitoring", now=at("14:20"), reason="works again")
    story.do(commands.change_severity, "P0", now=at("14:30"), reason="it was everyone")
    assert _due(story, "14:59") == []
    story.do(commands.change_state, "investigating", now=at("15:00"), reason="it is back")
    assert _due(story, "15:00") == [("L2", "15:00", "severity")]


def test_monitoring_stops_the_ladder_and_a_regression_goes_on() -> None:
    story = Story()
    story.do(commands.change_state, "monitoring", now=at("14:10"), reason="rolled back")
    assert story.rung("L2", at("15:00")).due_at is None
    assert story.rung("L2", at("15:00")).status == "upcoming"
    story.do(commands.change_state, "investigating", now=at("15:00"), reason="it is back")
    assert story.rung("L2", at("15:00")).due_at == at("15:05")


def test_mitigated_in_the_very_moment_it_is_due() -> None:
    story = Story()
    story.do(commands.change_state, "monitoring", now=at("14:15"), reason="works again")
    assert _due(story, "15:00") == [("L2", "14:15", "time")]
    story = Story()
    story.do(commands.change_state, "monitoring", now=at("14:14:59.999"), reason="works again")
    assert _due(story, "15:00") == []


def test_waiving_a_level() -> None:
    story = Story()
    with pytest.raises(Refused):
        story.do(commands.waive, "L4", "", now=at("14:01"))
    with pytest.raises(Refused, match="the ladder has L1, L2, L3, L4"):
        story.do(commands.waive, "L9", "x", now=at("14:01"))
    story.do(commands.waive, "L2", "both are here", now=at("14:01"))
    rung = story.rung("L2", at("14:20"))
    assert (rung.status, rung.due_at, rung.reason) == ("waived", None, "both are here")
    assert [level for level, _, _ in _due(story, "14:30")] == ["L3"]
    story.do(commands.escalate, "L2", now=at("14:31"), reason="they left")
    assert story.rung("L2", at("14:31")).is_engaged


def test_waiving_after_it_was_due_stops_the_nags_alone() -> None:
    story = Story()
    Console(story, START).run(at("14:14"), at("14:16"))
    story.do(commands.waive, "L2", "both are here", now=at("14:17"))
    rung = story.rung("L2", at("14:21"))
    assert (rung.is_engaged, rung.nag) == (True, "none")


def test_escalating_early_satisfies_the_timed_crossing() -> None:
    story = Story()
    story.do(commands.escalate, "L3", now=at("14:03"), reason="it is the vendor")
    assert current_level(story.incident, at("14:03")) == "L3"
    assert story.rung("L3", at("14:03")).cause == "by_hand"
    assert [level for level, _, _ in _due(story, "14:31")] == ["L2"]
    with pytest.raises(Refused, match="engaged already"):
        story.do(commands.escalate, "L3", now=at("14:04"))
    assert story.rung("L3", at("14:09")).nag == "nag"


def test_a_level_that_is_not_called_cannot_be_acknowledged() -> None:
    story = Story()
    with pytest.raises(Refused, match=r"L2 is not called before 14:15Z: escalate to it first"):
        story.do(commands.acknowledge, "L2", "ana", now=at("14:14:59"))
    story.do(commands.acknowledge, "L2", "ana", now=at("14:15"))
    story.do(commands.escalate, "L3", now=at("14:16"))
    story.do(commands.acknowledge, "L3", "eve", now=at("14:16"), via="phone")
    quiet = Story("P2")
    with pytest.raises(Refused, match=r"L4 is not called yet: escalate to it first"):
        quiet.do(commands.acknowledge, "L4", "eve", now=at("15:30"))


def test_someone_may_stand_for_a_target_and_be_called_by_name() -> None:
    story = Story()
    Console(story, START).run(at("14:14:59"), at("14:30"), timedelta(minutes=5))
    Console(story, at("14:30"))
    story.do(commands.called, "L3", "eve", now=at("14:31"), via="phone", outcome="no_answer")
    assert story.rung("L3", at("14:31")).waiting_for == ("CTO", "eve")
    story.do(commands.acknowledge, "L3", "Eve", now=at("14:32"), target="CTO", via="chat")
    assert story.rung("L3", at("14:33")).waiting_for == ()
    assert story.rung("L3", at("14:50")).nag == "none"


def test_holds_end_by_themselves_and_do_not_overlap() -> None:
    story = Story()
    story.do(commands.hold, "vendor", 10, now=at("14:05"))
    with pytest.raises(Refused, match="14:15Z"):
        story.do(commands.hold, "vendor", 10, now=at("14:10"))
    story.do(commands.end_hold, now=at("14:10"))
    assert story.rung("L2", at("14:11")).due_at == at("14:20")
    with pytest.raises(Refused):
        story.do(commands.end_hold, now=at("14:11"))
    story.do(commands.hold, "vendor again", 30, now=at("14:12"))
    assert story.rung("L2", at("14:13")).due_at == at("14:50")
    console = Console(story, at("14:13"))
    rang = [alarm for now in (at("14:42"), at("14:43")) for alarm in console.tick(now)]
    assert any("the hold ended 14:42Z" in alarm.text for alarm in rang)
    story.do(commands.change_state, "monitoring", now=at("14:44"), reason="works")
    with pytest.raises(Refused, match="stands already"):
        story.do(commands.hold, "x", 5, now=at("14:45"))


def test_still_on_it() -> None:
    story = Story()
    assert quiet_since(story.incident, at("14:14:59")) is None
    assert quiet_since(story.incident, at("14:15")) == at("14:15")
    story.measure("redirect", "ok", "alert", "900 ms", at("14:14"))
    assert quiet_since(story.incident, at("14:15")) == at("14:15")
    story.do(commands.note, "on it", now=at("14:14:30"), author=BEN)
    assert quiet_since(story.incident, at("14:29")) is None
    assert quiet_since(story.incident, at("15:00")) == at("14:59:30")
    assert quiet_since(Story("P2").incident, at("18:00")) is None


def test_two_consoles_ring_each_and_journal_once() -> None:
    story = Story()
    one, two = Console(story, START), Console(story, START)
    for second in range(14 * 60 + 58, 15 * 60 + 3):
        for console in (one, two):
            console.tick(START + timedelta(seconds=second))
    for console in (one, two):
        assert len([alarm for _, alarm in console.rang if "L2" in alarm.text]) == 1
    assert len([event for event in story.events if event.kind == "level_due"]) == 1


def test_what_rang_before_stays_silent_and_what_nobody_saw_does_not() -> None:
    story = Story()
    story.do(commands.note, "here", now=at("14:12"))
    heard = heard_before(story.incident)
    assert any("update" in key for key in heard)
    fresh = alarms(story.incident, at("14:16"), heard)
    assert len(fresh) == 1
    assert "L2 due 14:15Z" in fresh[0].text
    assert next_rung(story.incident, at("14:16")) is not None
