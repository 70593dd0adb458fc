"""Faults and scenarios as data."""

import pytest

from isla_console.drill.scenario import model as scenario
from isla_console.drill.scenario.faults import (
    ClicksStop,
    Connections,
    Errors,
    FaultError,
    Faults,
    Latency,
    parse_fault,
)


def test_latencies_of_one_service_add_up_and_leave_the_others() -> None:
    faults = Faults()
    faults.add(Latency(target="redirect", ms=300))
    faults.add(Latency(target="redirect", ms=900))
    assert faults.added_ms("redirect") == 1200
    assert faults.added_ms("app") == 0


def test_a_share_of_answers_fails() -> None:
    faults = Faults()
    faults.add(Errors(target="app", status=503, share=0.25))
    assert faults.error("app", 0.2) == 503
    assert faults.error("app", 0.25) is None
    assert faults.error("redirect", 0.0) is None


def test_listeners_hear_of_every_change() -> None:
    faults = Faults()
    heard: list[dict[str, int]] = []
    faults.on_change(lambda: heard.append(faults.held()))
    faults.add(Connections(count=40))
    faults.add(Connections(count=2))
    faults.replace([])
    assert heard == [{"pgbouncer": 40}, {"pgbouncer": 42}, {}]


def test_clicks_stop() -> None:
    faults = Faults()
    assert not faults.clicks_stopped
    faults.add(ClicksStop())
    assert faults.clicks_stopped


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"kind": "latency", "target": "redirect"}, "ms: Field required"),
        ({"kind": "latency", "target": "moon", "ms": 1}, "target"),
        ({"kind": "latency", "target": "app", "ms": -5}, "greater than 0"),
        ({"kind": "errors", "target": "app", "status": 200}, "status"),
        ({"kind": "flood"}, "'latency'"),
        ({"kind": "clicks_stop", "loud": True}, "loud"),
        ([], "valid dictionary"),
        (None, "valid dictionary"),
    ],
)
def test_what_is_no_fault_is_told(data: object, says: str) -> None:
    with pytest.raises(FaultError, match=says):
        parse_fault(data)


def test_every_scenario_loads() -> None:
    for name in scenario.names():
        loaded = scenario.load(name)
        assert loaded.id == name
        assert loaded.cures


def test_redirect_down_is_slow_and_then_fails() -> None:
    healthy, slow, failing = scenario.load("redirect-down").phases
    assert healthy.faults == ()
    assert slow.faults == (Latency(target="redirect", ms=1200),)
    assert Errors(target="redirect", status=500) in failing.faults
    assert (slow.at_s, failing.at_s) == (20, 110)


def test_an_unknown_scenario_lists_the_known_and_names_the_nearest() -> None:
    with pytest.raises(scenario.ScenarioError, match=r"Did you mean redirect-down\? Drills: .*redirect-down"):
        scenario.load("redirct-down")
    with pytest.raises(scenario.ScenarioError, match=r"'\.\./x'\. Drills"):
        scenario.load("../x")


@pytest.mark.parametrize(
    "phases",
    [
        [{"at_s": 5, "title": "late"}, {"at_s": 9, "title": "x"}],
        [{"at_s": 0, "title": "a"}, {"at_s": 0, "title": "b"}],
        [{"at_s": 0, "title": "a"}],
    ],
)
def test_a_scenario_starts_healthy_and_goes_forward(phases: list[object]) -> None:
    with pytest.raises(ValueError, match="phase"):
        scenario.Scenario.model_validate(
            {
                "id": "x",
                "title": "X",
                "issue": "x",
                "summary": "",
                "briefing": "",
                "cause": ["x"],
                "cures": [{"action": "x", "title": "x"}],
                "truths": ["x"],
                "phases": phases,
            }
        )
