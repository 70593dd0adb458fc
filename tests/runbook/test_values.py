"""Values of inputs: what a type takes, and what a span before now means."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from isla_console.runbook.load import Loaded
from isla_console.runbook.values import at, wrong_type
from isla_console.settings.resolve import Settings
from isla_console.steps.inputs import Inputs
from isla_console.text.redact import Redactor
from isla_console.text.times import iso_moment

NOW = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("int", ("0", "-12"), ("1.5", "x", "")),
        ("date", ("2026-11-26",), ("2026-13-01", "tomorrow", "-1d")),
        ("datetime", ("2026-11-26T10:00:00Z", "2026-11-26"), ("now", "-30m")),
        ("email", ("a@b.c",), ("a", "a b@c.d")),
        ("url", ("https://x",), ("ftp://x", "http://[::1", "https://x y", "")),
        ("dsn", ("postgresql://x",), ("mysql://x",)),
        ("text", ("anything",), ()),
    ],
)
def test_types(kind: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    assert [wrong_type(kind, text) for text in good] == [""] * len(good)
    assert all(wrong_type(kind, text) for text in bad)


def test_spans_are_days_and_times_of_utc() -> None:
    behind = NOW.astimezone(timezone(timedelta(hours=-8)))
    for now in (NOW, behind):
        assert at("date", "-1d", now) == "2026-11-25"
        assert at("date", "-0d", now) == "2026-11-26"
        assert at("date", "-2h", now) == "2026-11-25"
        assert at("datetime", "-30m", now) == "2026-11-26T00:00:00Z"
        assert at("datetime", "-0s", now) == "2026-11-26T00:30:00Z"
    assert at("text", "-1d", NOW) == "-1d"
    assert at("date", "2024-01-01", NOW) == "2024-01-01"
    assert iso_moment("2026-11-26T10:00:00") == datetime(2026, 11, 26, 10, tzinfo=UTC)


def test_defaults_of_the_shipped_runbook(shipped: Loaded) -> None:
    """Analytics looks at yesterday, and logs have an end, without which the API answers for one minute."""
    inputs = Inputs(shipped.runbook.inputs, Settings.load({"HOME": "/nowhere"}), Redactor())
    step = shipped.runbook.step("analytics-rebuild-preview")
    assert inputs.missing(step, NOW) == ()
    assert inputs.values(step, NOW) == {"FROM_DATE": "2026-11-25", "TO_DATE": "2026-11-25"}
    for id in ("db-postgres-logs", "auth-logs"):
        http = shipped.runbook.step(id).http
        assert http is not None
        times = {key: inputs.find(value[2:-1], NOW) for key, value in http.query.items() if key != "sql"}
        assert {key: value.value.reveal() for key, value in times.items() if value} == {
            "iso_timestamp_start": "2026-11-26T00:00:00Z",
            "iso_timestamp_end": "2026-11-26T00:30:00Z",
        }
