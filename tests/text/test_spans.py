"""Spans: how each kind is written, that none has a sign, and that longer is never written as shorter."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.text.spans import age, countdown, elapsed, span_text, took_text, window_text

DAY = 86_400
ALL = (span_text, took_text, window_text, elapsed, countdown, age)
UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": DAY}


def read_span(text: str) -> float:
    """The seconds that any of the texts means."""
    clock = re.search(r"(?:(\d+):)?(\d\d):(\d\d)$", text)
    seconds = 0.0
    if clock:
        seconds = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
        text = text[: clock.start()]
    return seconds + sum(float(n) * UNITS[unit] for n, unit in re.findall(r"([\d.]+) ?([a-z]+)", text))


@pytest.mark.parametrize(
    ("write", "seconds", "text"),
    [
        (span_text, 0, "0 s"),
        (span_text, 45.9, "45 s"),
        (span_text, 60, "1 min"),
        (span_text, 719, "11 min"),
        (span_text, 3600, "1 h 00 min"),
        (span_text, 11_100, "3 h 05 min"),
        (span_text, DAY - 1, "23 h 59 min"),
        (span_text, 30 * 3600, "1 d 06 h"),
        (span_text, 10 * DAY, "10 d 00 h"),
        (took_text, 0, "0 ms"),
        (took_text, 0.85, "850 ms"),
        (took_text, 0.9996, "1.0 s"),
        (took_text, 1.34, "1.3 s"),
        (took_text, 59.96, "1 min 00 s"),
        (took_text, 139, "2 min 19 s"),
        (took_text, 11_100, "3 h 05 min"),
        (took_text, 30 * 3600, "1 d 06 h"),
        (window_text, 0.25, "0.25 s"),
        (window_text, 15, "15 s"),
        (window_text, 60, "60 s"),
        (window_text, 90, "90 s"),
        (window_text, 300, "5 min"),
        (window_text, 3600, "1 h"),
        (window_text, 5400, "90 min"),
        (window_text, DAY, "24 h"),
        (window_text, 7 * DAY, "7 d"),
        (elapsed, 0, "00:00:00"),
        (elapsed, 761, "00:12:41"),
        (elapsed, 3600, "01:00:00"),
        (elapsed, 90_061, "1 d 01:01:01"),
        (elapsed, -5, "00:00:00"),
        (countdown, 139, "02:19"),
        (countdown, 59.9, "00:59"),
        (countdown, 3723, "1:02:03"),
        (countdown, -139, "02:19"),
        (countdown, DAY - 1, "23:59:59"),
        (countdown, 30 * 3600, "1 d 06 h"),
        (countdown, 180_000, "2 d 02 h"),
        (age, 3, "3s"),
        (age, 240, "4m"),
        (age, 7300, "2h"),
        (age, 500_000, "5d"),
        (age, -3, "0s"),
    ],
)
def test_as_written(write: Callable[[float], str], seconds: float, text: str) -> None:
    assert write(seconds) == text
    assert write(timedelta(seconds=seconds)) == text  # type: ignore[arg-type]


def test_seconds_below_an_hour_where_they_are_asked_for() -> None:
    texts = [span_text(seconds, seconds=True) for seconds in (34, 100, 3599, 3600)]
    assert texts == ["34 s", "1 min 40 s", "59 min 59 s", "1 h 00 min"]


SECONDS = st.floats(-1e7, 1e7) | st.sampled_from([-0.0, -0.04, 0.04, 59.95, 59.999, 0.9995])


@pytest.mark.parametrize("write", ALL, ids=lambda write: write.__name__)
@given(seconds=SECONDS)
def test_no_sign_is_written(write: Callable[[float], str], seconds: float) -> None:
    assert "-" not in write(seconds)


@pytest.mark.parametrize("write", ALL, ids=lambda write: write.__name__)
@given(one=st.floats(0, 1e7), other=st.floats(0, 1e7))
def test_longer_is_never_written_as_shorter(write: Callable[[float], str], one: float, other: float) -> None:
    short, long = sorted((one, other))
    assert read_span(write(short)) <= read_span(write(long))


@given(seconds=st.floats(0, 1e7))
def test_what_is_read_back_is_the_span_to_its_last_unit(seconds: float) -> None:
    last = 1 if seconds < 60 else 60 if seconds < DAY else 3600
    assert 0 <= seconds - read_span(span_text(seconds)) < last
    assert 0 <= seconds - read_span(countdown(seconds)) < (1 if seconds < DAY else 3600)
    assert 0 <= seconds - read_span(elapsed(seconds)) < 1
    if seconds < 3599:
        rounded = 0.00051 if seconds < 0.9 else 0.051 if seconds < 59.9 else 0.51
        assert abs(seconds - read_span(took_text(seconds))) <= rounded


@given(seconds=st.integers(1, 10**7) | st.integers(1, 10**5).map(lambda tenths: tenths / 10))
def test_a_configured_length_is_read_back_exactly(seconds: float) -> None:
    assert read_span(window_text(seconds)) == pytest.approx(seconds, abs=0.0005)
