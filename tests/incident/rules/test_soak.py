from __future__ import annotations

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.rules.evidence import evidence_for
from isla_console.incident.rules.soak import soak
from tests.incident.story import START, Story, at


def test_every_metric_that_was_bad_has_to_stay_normal() -> None:
    story = Story("P1", metrics={"redirect": ("alert", "1240 ms"), "errors": ("elevated", "0.4 %")})
    assert soak(story.incident, at("14:10")).blockers == ("redirect is alert", "errors is elevated")
    story.measure("redirect", "alert", "ok", "40 ms", at("14:20"))
    with pytest.raises(Refused, match="errors is elevated; resolve anyway with a reason"):
        story.do(commands.resolve, now=at("14:21"))
    story.measure("errors", "elevated", "ok", "0 %", at("14:22"))
    state = soak(story.incident, at("14:30"))
    assert (state.green_since, state.remaining_s, state.ready_at) == (at("14:22"), 420, at("14:37"))
    with pytest.raises(Refused, match="soaking 7 min more"):
        story.do(commands.resolve, now=at("14:30"))
    story.measure("redirect", "ok", "alert", "900 ms", at("14:31"))
    story.measure("redirect", "alert", "ok", "40 ms", at("14:33"))
    assert soak(story.incident, at("14:47:59")).remaining_s == 1
    assert soak(story.incident, at("14:48")).is_green
    assert not soak(story.incident, at("14:48"), {"redirect": "stale"}).is_green
    assert soak(story.incident, at("14:48"), {"lag": "ok"}).is_green
    assert evidence_for(story.incident, "metrics", at("14:48"), None, ()) is None, "it is not resolved yet"
    story.do(commands.resolve, now=at("14:48"))
    assert evidence_for(story.incident, "metrics", at("14:48"), None, ()) is not None
    assert evidence_for(story.incident, "metrics", at("14:48"), None, ("Lag: alert",)) is None
    assert "is green" in story.incident.states[-1].reason


@pytest.mark.parametrize("state", ["alert", "elevated", "stale", "unknown", "blind"])
@pytest.mark.parametrize("name", ["redirect", "lag", "probe redirect"])
def test_a_soak_that_cannot_see_is_not_green(name: str, state: str) -> None:
    story = Story("P1", metrics={"redirect": ("alert", "1240 ms")})
    story.measure("redirect", "alert", "ok", "40 ms", at("14:05"))
    assert soak(story.incident, at("14:48"), {name: "ok"}).is_green
    assert soak(story.incident, at("14:48"), {name: state}).blockers == (f"{name} is {state}",)


def test_a_probe_that_failed_counts_like_a_metric() -> None:
    story = Story("P1")
    story.measure("redirect", "ok", "alert", "500", at("14:05"), kind="probe")
    assert soak(story.incident, at("14:20")).blockers == ("probe redirect is alert",)
    story.measure("redirect", "alert", "ok", "", at("14:21"), kind="probe")
    found = soak(story.incident, at("14:30"))
    assert (found.watched, found.ready_at) == (("probe redirect",), at("14:36"))


def test_stale_is_not_normal() -> None:
    story = Story("P1", metrics={"redirect": ("alert", "1 s")})
    story.measure("redirect", "alert", "ok", "40 ms", at("14:05"))
    story.measure("redirect", "ok", "stale", "", at("14:10"))
    assert soak(story.incident, at("15:00")).blockers == ("redirect is stale",)


@pytest.mark.parametrize(("severity", "minutes"), [("P0", 15), ("P1", 15), ("P2", 10)])
def test_without_a_bad_metric_the_time_in_monitoring_counts(severity: str, minutes: int) -> None:
    story = Story(severity)
    assert not soak(story.incident, at("15:00")).is_green
    story.do(commands.change_state, "monitoring", now=at("14:30"), reason="works")
    assert soak(story.incident, at("14:30")).remaining_s == minutes * 60
    assert soak(story.incident, at(f"14:{30 + minutes}")).is_green
    assert evidence_for(story.incident, "metrics", at("15:00")) is None


def test_p3_needs_no_soak() -> None:
    story = Story("P3")
    assert soak(story.incident, START).is_green
    story.do(commands.resolve, now=at("14:01"))
    with pytest.raises(Refused):
        story.do(commands.resolve, now=at("14:02"))


def test_evidence_for_the_status_page_is_the_last_word_sent() -> None:
    story = Story()
    story.do(commands.send_update, "public", "We know.", now=at("14:04"))
    assert evidence_for(story.incident, "status-page", at("14:05")) is None
    story.do(commands.resolve, now=at("14:20"), override="works")
    assert evidence_for(story.incident, "status-page", at("14:21")) is None
    story.do(commands.send_update, "public", "Resolved.", now=at("14:22"))
    assert evidence_for(story.incident, "status-page", at("14:23")) == "sent 14:22Z by ana"
    assert evidence_for(story.incident, "nothing", at("14:23")) is None
