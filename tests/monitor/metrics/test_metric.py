"""States of a metric: strict bounds, hysteresis, staleness, blindness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.monitor.metrics.health import ProbeTracker
from isla_console.monitor.metrics.metric import MetricRule, MetricTracker
from isla_console.monitor.metrics.sample import Sample, State
from isla_console.runbook.bound import Bound
from tests.support.servers import at


def rule(normal: str = "< 50 ms", alert: str = "> 200 ms", **options: object) -> MetricRule:
    fields: dict[str, object] = {
        "id": "latency",
        "title": "Redirect Latency",
        "short": "Redirect p95",
        "unit": "ms",
        "decimals": 0,
        "normal": Bound.parse(normal),
        "alert": Bound.parse(alert),
        "every_s": 5.0,
        "source": "probe redirect · p95 60 s",
    }
    return MetricRule(**{**fields, **options})  # type: ignore[arg-type]


def run(tracker: MetricTracker, values: list[float]) -> list[State]:
    states = []
    for index, value in enumerate(values):
        tracker.observe(value, at(index * 5))
        states.append(tracker.state(at(index * 5)))
    return states


@pytest.mark.parametrize(
    ("normal", "alert", "table"),
    [
        (
            "< 50 ms",
            "> 200 ms",
            {49.9: "ok", 50: "elevated", 200: "elevated", 200.1: "alert"},
        ),
        ("< 0.1 %", "> 1 %", {0: "ok", 0.1: "elevated", 1: "elevated", 1.01: "alert"}),
        ("< 50", "> 80", {49: "ok", 50: "elevated", 80: "elevated", 81: "alert"}),
        ("> 95 %", "< 90 %", {100: "ok", 95: "elevated", 90: "elevated", 89.9: "alert"}),
        ("<= 50", ">= 80", {50: "ok", 51: "elevated", 80: "alert"}),
    ],
)
def test_bounds_are_strict_as_written(normal: str, alert: str, table: dict[float, State]) -> None:
    for value, state in table.items():
        assert run(MetricTracker(rule(normal, alert)), [value] * 3)[-1] == state, value


@pytest.mark.parametrize(
    ("values", "states"),
    [
        ([300, 300, 300], ["elevated", "elevated", "alert"]),
        (
            [10, 300, 300, 10, 300, 300, 300],
            ["ok", "elevated", "elevated", "ok", "elevated", "elevated", "alert"],
        ),
        (
            [300, 300, 300, 10, 300, 10, 10],
            ["elevated", "elevated", "alert", "alert", "alert", "alert", "ok"],
        ),
        ([300, 300, 300, 100, 100], ["elevated", "elevated", "alert", "alert", "elevated"]),
    ],
)
def test_three_bad_raise_and_two_good_clear(values: list[float], states: list[State]) -> None:
    assert run(MetricTracker(rule()), values) == states


@given(st.lists(st.sampled_from([10.0, 50.0, 120.0, 200.0, 201.0, 900.0]), max_size=60))
def test_the_state_follows_the_last_samples_alone(values: list[float]) -> None:
    tracker = MetricTracker(rule())
    for index in range(len(values)):
        before = tracker.state(at(index * 5))
        tracker.observe(values[index], at(index * 5))
        state = tracker.state(at(index * 5))
        bad = [value > 200 for value in values[: index + 1]]
        if bad[-3:] == [True, True, True]:
            assert state == "alert"
        elif bad[-2:] == [False, False]:
            assert state == ("ok" if values[index] < 50 else "elevated")
        elif before != "alert":
            assert state != "alert"
        assert not (state == "ok" and values[index] >= 50)


def test_one_slow_answer_that_stays_in_the_window_raises_nothing() -> None:
    tracker = MetricTracker(rule(percentile=True))
    for index in range(6):
        tracker.observe(900, at(index * 5), n=12, bad=1)
        assert tracker.state(at(index * 5)) == "elevated"
    tracker.observe(900, at(30), n=12, bad=3)
    assert tracker.state(at(30)) == "alert"


def test_a_percentile_of_few_is_provisional() -> None:
    tracker = MetricTracker(rule(percentile=True))
    tracker.observe(10, at(0), n=19)
    assert tracker.reading(at(0)).provisional
    tracker.observe(10, at(1), n=20)
    assert not tracker.reading(at(1)).provisional
    single = MetricTracker(rule())
    single.observe(10, at(0), n=1)
    assert not single.reading(at(0)).provisional


def test_no_sample_for_three_intervals_is_stale_and_keeps_the_value() -> None:
    tracker = MetricTracker(rule())
    tracker.observe(42, at(0))
    assert tracker.state(at(15)) == "ok"
    reading = tracker.reading(at(15.001))
    assert (reading.state, reading.value, reading.text, reading.since) == ("stale", 42, "42 ms", at(15))
    tracker.missing("500 instead of 200", at(16))
    assert tracker.reading(at(16)).reason == "500 instead of 200"
    tracker.observe(42, at(20))
    assert tracker.reading(at(20)).state == "ok"


def test_before_the_first_sample_it_says_what_to_do() -> None:
    reading = MetricTracker(rule(), unknown="set ISLA_APP_URL").reading(at(99))
    assert (reading.state, reading.reason, reading.value, reading.text) == (
        "unknown",
        "set ISLA_APP_URL",
        None,
        "",
    )


def test_being_blind_hides_the_state_and_does_not_age_it() -> None:
    tracker = MetricTracker(rule())
    tracker.observe(42, at(0))
    assert tracker.reading(at(300), blind=True).state == "blind"
    assert tracker.reading(at(300), blind=True).since is None
    tracker.resume(at(300))
    assert tracker.state(at(301)) == "ok"
    assert tracker.state(at(316)) == "stale"


def test_the_bound_that_matters_now() -> None:
    tracker = MetricTracker(rule())
    assert run(tracker, [10]) == ["ok"]
    assert tracker.reading(at(0)).bound == "< 50 ms"
    tracker.observe(120, at(5))
    assert tracker.reading(at(5)).bound == "> 200 ms"


def test_a_reading_is_the_same_object_while_nothing_changed() -> None:
    tracker = MetricTracker(rule())
    tracker.observe(10, at(0))
    assert tracker.reading(at(1)) is tracker.reading(at(9))


def test_the_history_is_bounded_and_marks_gaps() -> None:
    tracker = MetricTracker(rule())
    for index in range(100):
        tracker.observe(index, at(index))
    tracker.missing("timed out", at(100))
    history = tracker.reading(at(100)).history
    assert (len(history), history[-2:]) == (60, (99, None))


def sample(ok: bool, seconds: float) -> Sample:
    return Sample("health", at(seconds), ok, "" if ok else "timed out after 2 s")


def test_a_probe_fails_after_three_and_recovers_after_two() -> None:
    tracker = ProbeTracker("health", "Main application", 5)
    states = []
    for index, ok in enumerate([True, False, False, False, True, True]):
        tracker.observe(sample(ok, index))
        states.append(tracker.state(at(index)))
    assert states == ["ok", "ok", "ok", "alert", "alert", "ok"]


def test_a_probe_that_never_answered_is_not_ok() -> None:
    tracker = ProbeTracker("health", "Main application", 5)
    assert tracker.reading(at(0)).state == "unknown"
    tracker.observe(sample(False, 0))
    reading = tracker.reading(at(0))
    assert (reading.state, reading.reason) == ("unknown", "timed out after 2 s · 1 of 3 bad")


def test_the_course_is_an_hour_of_half_minutes_and_keeps_what_was_bad() -> None:
    tracker = MetricTracker(rule())
    run(tracker, [20, 900, 30, 40, 40, 40, 25, 26])
    assert tracker.reading(at(35)).course == ((at(0), 900), (at(30), 26))
    for second in range(60, 4000, 5):
        tracker.observe(20, at(second))
    course = tracker.reading(at(4000)).course
    assert len(course) == 120
    assert (course[0][0], course[-1][0]) == (at(3990 - 119 * 30), at(3990))
    tracker.observe(21, at(100))  # the clock went back: what comes now is a new moment
    assert tracker.reading(at(100)).course[-1] == (at(100), 21)


def test_what_gave_no_answer_just_now_is_not_drawn_green() -> None:
    """It is stale after three intervals only; until then its last value stands beside the failure."""
    tracker = MetricTracker(rule())
    tracker.observe(20, at(0))
    assert (tracker.reading(at(1)).state, tracker.reading(at(1)).seen) == ("ok", "ok")
    tracker.missing("connection refused", at(5))
    reading = tracker.reading(at(6))
    assert (reading.state, reading.seen, reading.reason) == ("ok", "stale", "connection refused")
    tracker.observe(20, at(10))
    assert tracker.reading(at(10)).seen == "ok"
    for second in (15, 20, 25):
        tracker.observe(999, at(second))
    tracker.missing("connection refused", at(30))
    assert tracker.reading(at(31)).seen == "alert"


def test_a_probe_that_failed_just_now_is_not_drawn_green() -> None:
    tracker = ProbeTracker("redirect", "Redirect service", 3)
    tracker.observe(Sample("redirect", at(0), True))
    assert tracker.reading(at(1)).seen == "ok"
    tracker.observe(Sample("redirect", at(3), False, "timed out after 5 s"))
    reading = tracker.reading(at(4))
    assert (reading.state, reading.seen) == ("ok", "stale")
    tracker.observe(Sample("redirect", at(6), True))
    assert tracker.reading(at(7)).seen == "ok"
