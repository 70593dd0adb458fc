"""A record says only what happened, and of people only what people did."""

from __future__ import annotations

from datetime import timedelta

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Event, EventError, event
from isla_console.incident.record.words import sentence
from isla_console.incident.report import report
from isla_console.incident.report.handoff import brief
from isla_console.incident.report.series import measured
from isla_console.incident.rules.alarms import alarms
from isla_console.incident.rules.communication import passed_promises
from isla_console.incident.rules.soak import soak
from tests.incident.story import ANA, START, Story, at


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("noted", {"text": "dpl_1 serves production"}, "noted: dpl_1 serves production"),
        (
            "action_added",
            {"action": "a1", "text": "Find the bug", "type": "prevent"},
            "added an action item: Find the bug",
        ),
        ("update_drafted", {"audience": "public", "text": "Resolved."}, "drafted the public update"),
    ],
)
def test_what_the_console_wrote_is_no_word_of_its_person(kind: str, data: dict[str, str], said: str) -> None:
    story = Story()
    for by, who in ((None, "ana"), ("console", "console")):
        written = event(kind, {**data, "by": by}, incident=story.incident.id, author=ANA, now=at("14:01"))
        assert sentence(written, story.incident) == f"{who} {said}"
        assert written.is_human == (by is None)
        assert written.actor == "ana", "whose console it was stays known"
    with pytest.raises(EventError, match="by"):
        event(kind, {**data, "by": "somebody"}, incident=story.incident.id, author=ANA, now=at("14:01"))


def test_a_measured_symptom_was_seen_by_nobody() -> None:
    story = Story()
    story.do(commands.see_symptom, "timeouts", now=at("14:01"), by="measured")
    story.do(commands.see_symptom, "timeouts", now=at("14:02"))
    said = [sentence(one, story.incident) for one in story.events[-2:]]
    assert said == ["console saw the symptom timeouts (measured)", "ana saw the symptom timeouts (person)"]


def test_the_draft_that_comes_with_a_resolve_is_the_consoles() -> None:
    story = Story("P3")
    story.do(commands.resolve, now=at("14:10"), final_update="Resolved.")
    assert [(update.stage, update.by) for update in story.incident.updates] == [("drafted", "console")]


def _ran(incident: str, **data: object) -> Event:
    whole = {"command": "GET /", "effect": "read", "exit_code": 0, "duration_ms": 170.0, "output": ""}
    whole |= {"truncated": False, **data}
    return event("ran", whole, incident=incident, author=ANA, now=at("14:01"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"result": "201 Created"}, "201 Created"),
        ({"result": "200 · 100 rows", "exit_code": 1, "met": False}, "200 · 100 rows"),
        ({"result": "", "exit_code": 3}, "exit 3"),
        ({"exit_code": 3}, "exit 3"),
        ({"result": "one\ntwo"}, "one"),
    ],
)
def test_a_request_has_a_result_and_no_exit_code(data: dict[str, object], said: str) -> None:
    incident = Story().incident
    assert sentence(_ran(incident.id, **data), incident) == f"ana ran GET / (read): {said} in 170 ms"


def test_a_step_that_found_what_it_looked_for_need_not_be_mended() -> None:
    story = Story()
    story.events += [
        _ran(story.incident.id, step="events", result="100 rows", exit_code=1, met=False),
        _ran(story.incident.id, step="logs", result="exit 127", exit_code=127),
    ]
    proposed = report(story.incident).partition("Runbook changes proposed")[2]
    assert "logs failed (exit 127): does it still work?" in proposed
    assert "events" not in proposed


@pytest.mark.parametrize("state", ["resolved", "closed", "cancelled"])
def test_no_correction_ends_an_incident_past_the_rules(state: str) -> None:
    story = Story()
    story.do(commands.change_state, "mitigating", now=at("14:05"))
    with pytest.raises(Refused, match=f"m sets it {state}") as refused:
        story.do(commands.correct, story.events[-1].id, {"state": state}, now=at("14:06"))
    assert refused.value.about == "state"
    story.do(commands.correct, story.events[-1].id, {"state": "monitoring"}, now=at("14:07"))
    assert story.incident.state == "monitoring"


def test_nobody_was_called_or_on_it_before_the_incident_began() -> None:
    story = Story(impact_started_at=START - timedelta(minutes=3))
    early = START - timedelta(minutes=4)
    with pytest.raises(Refused, match="before the incident, which began 13:57") as refused:
        story.do(commands.acknowledge, "L1", "ana", now=at("14:05"), at=early)
    assert refused.value.about == "at"
    with pytest.raises(Refused, match="before the incident"):
        story.do(commands.called, "L1", "on-call", now=at("14:05"), via="phone", outcome="answered", at=early)
    story.do(commands.acknowledge, "L1", "ana", now=at("14:05"), at=START - timedelta(minutes=2))


@pytest.mark.parametrize(
    ("due", "why"),
    [
        ("1999-13-45", "there is no 1999-13-45"),
        ("2026-02-30", "there is no 2026-02-30"),
        ("1999-12-01", "before the incident"),
        ("soon", "is written 2026-12-01"),
    ],
)
def test_an_action_is_due_on_a_day_that_there_is(due: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        Story().do(commands.add_action, "Mend it", "prevent", now=at("14:05"), due=due)
    story = Story()
    story.do(commands.add_action, "Mend it", "prevent", now=at("14:05"), due="2026-11-23")
    assert [action.due for action in story.incident.actions.values()] == ["2026-11-23"]


def test_the_handoff_calls_nothing_well_that_is_not_measured() -> None:
    story = Story("P1", metrics={"redirect": ("alert", "1240 ms")})
    story.measure("redirect", "alert", "ok", "40 ms", at("14:05"))

    def measured(live: tuple[str, ...] | None) -> str:
        lines = brief(story.incident, at("14:20"), live=live, width=200).splitlines()
        return next(line for line in lines if line.startswith("Measured:"))

    assert measured(()) == "Measured: all is well now"
    assert measured(("Lag: stale", "not measured, because not set up: Errors")) == (
        "Measured: Lag: stale; not measured, because not set up: Errors"
    )
    assert measured(None) == "Measured: nothing here; by the last entries all was back to normal"


def test_no_soak_is_green_where_nothing_is_measured() -> None:
    story = Story("P1")
    story.do(commands.change_state, "monitoring", now=at("14:05"), reason="seems well")
    later = at("14:30")
    assert soak(story.incident, later, {}).blockers == ("nothing is measured here, and nothing ever was",)
    assert soak(story.incident, later, {"redirect": "ok"}).sentence == (
        "nothing bad since 14:05Z, the soak of 15 min is green"
    )
    with pytest.raises(Refused, match="resolve anyway with a reason"):
        story.do(commands.resolve, now=later, live={})
    # Where another console measured, its entries count.
    story.measure("redirect", "ok", "alert", "900 ms", at("14:06"))
    story.measure("redirect", "alert", "ok", "40 ms", at("14:08"))
    assert soak(story.incident, later, {}).is_green


@pytest.mark.parametrize("end", ["resolved", "closed", "cancelled"])
def test_nobody_is_called_once_it_is_over(end: str) -> None:
    story = Story("P1")
    assert any("L2 due" in alarm.text for alarm in alarms(story.incident, at("14:20"), ()))
    if end == "cancelled":
        story.do(commands.cancel, "none", now=at("14:21"))
    else:
        story.do(commands.resolve, now=at("14:21"), override="it is over")
    if end == "closed":
        closed = {"state": "closed"}
        story.events.append(
            event("state_changed", closed, incident=story.incident.id, author=ANA, now=at("14:22"))
        )
    assert not any("call" in alarm.text for alarm in alarms(story.incident, at("14:40"), ()))
    if end == "resolved":
        story.do(commands.reopen, "it is back", now=at("14:41"))
        assert any("L2 due" in alarm.text for alarm in alarms(story.incident, at("14:42"), ()))


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("Next update by 14:04 UTC on 2026-11-23.", ("14:04 UTC on 2026-11-23",)),
        ("Next update by 14:05 UTC on 2026-11-23.", ("14:05 UTC on 2026-11-23",)),
        ("Next update by 14:06 UTC on 2026-11-23.", ()),
        ("It lasted from 13:00 UTC on 2026-11-23 to 14:00 UTC on 2026-11-23.", ()),
        ("by 99:99 UTC on 2026-11-23", ()),
    ],
)
def test_a_promise_that_has_passed_is_found(text: str, passed: tuple[str, ...]) -> None:
    assert passed_promises(text, at("14:05")) == passed


def test_unmeasured_time_is_no_low_value_in_the_report() -> None:
    story = Story("P1", metrics={"redirect": ("alert", "1240 ms")})
    story.measure("redirect", "alert", "stale", "", at("14:05"))
    story.measure("redirect", "stale", "ok", "40 ms", at("14:10"))
    [row] = [row for row in measured(story.incident, at("14:20")) if row.name == "redirect"]
    assert row.sparkline.startswith("█")
    assert "·" in row.sparkline
    assert row.sparkline.endswith("▁")
    assert row.sparkline.count("▁") == 1, "only where it was measured so"
