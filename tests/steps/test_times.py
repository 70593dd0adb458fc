"""Columns of times: known by the runbook's word, by their name, or by a text that can be nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.runbook.steps import Step
from isla_console.steps.outcome import _row_changes
from isla_console.steps.rows import as_text, cell, time_columns
from isla_console.ui.views.runs import table_lines

NOW = datetime(2026, 11, 23, 14, 12, 41, tzinfo=UTC)
MS = 1_795_443_161_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("created", MS),
        ("created", str(MS)),
        ("createdAt", MS),
        ("created_at", "2026-11-23T14:12:41"),
        ("inserted_at", "2026-11-23 14:12:41+00"),
        ("time", MS * 1000),
        ("timestamp", MS * 1000),
        ("timestampInMs", MS),
        ("time_ms", MS),
        ("earliest_physical_backup_date_unix", MS // 1000),
        ("override_until", MS // 1000),
        ("live_since", MS),
        ("anything", "2026-11-23T14:12:41.123Z"),
        ("anything", NOW),
    ],
)
def test_a_time_is_shown_as_one(name: str, value: object) -> None:
    assert time_columns([{name: value}]) == {name}
    assert "14:12:41Z 0s" in "\n".join(line.plain for line in table_lines([{name: value}], 80, NOW, most=8))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", MS),
        ("bytes", MS // 1000),
        ("id", MS),
        ("created_by", MS // 1000),
        ("uptime", MS // 1000),
        ("timeout", MS // 1000),
        ("sometimes", MS // 1000),
        ("expires_in", 3600),
        ("created", 0),
        ("created", 17),
        ("created", True),
        ("created", "READY"),
        ("created", "2026-11-23"),
        ("version", "20231101120000"),
        ("name", "2026-11-23T14:12:41"),
        ("since", 95.5),
    ],
)
def test_what_is_no_time_stays_as_it_is(name: str, value: object) -> None:
    assert time_columns([{name: value}]) == frozenset()
    said = "\n".join(line.plain for line in table_lines([{name: value}], 80, NOW, most=8))
    assert cell(value) in said
    assert "Z " not in said


def test_the_runbook_says_it() -> None:
    rows = [{"at_the_edge_of": MS}]
    assert time_columns(rows) == frozenset()
    assert time_columns(rows, ("at_the_edge_of",)) == {"at_the_edge_of"}
    step = Step(id="a", title="a", kind="shell", effect="read", run="a", times=("at_the_edge_of",))
    assert "14:12:41Z" in table_lines(rows, 80, NOW, most=8, step=step)[1].plain


def test_a_column_is_one_thing() -> None:
    """One value that is no time: the column is numbers, and every one of them is shown."""
    rows = [{"created": MS}, {"created": 17}, {"created": None}]
    said = "\n".join(line.plain for line in table_lines(rows, 80, NOW, most=8))
    assert str(MS) in said
    assert "17" in said
    assert time_columns([{"created": MS}, {"created": None}]) == {"created"}


def test_what_changed_is_said_as_times() -> None:
    before, after = [{"id": "a", "created": MS}], [{"id": "a", "created": MS + 61_000}]
    assert list(_row_changes(before, after)) == ["a: created 2026-11-23 14:12:41Z → 2026-11-23 14:13:42Z"]


@given(st.dictionaries(st.text(max_size=12), st.integers() | st.floats() | st.text(max_size=24), max_size=4))
def test_any_row_is_drawn(row: dict[str, object]) -> None:
    table_lines([row], 80, NOW, most=8)


def test_what_is_stored_has_times_and_no_numbers_for_them() -> None:
    """Who reads the report has no screen that makes a time of a number."""
    rows = [{"id": "dpl_1", "created": MS, "count": MS}, {"id": "dpl_2", "created": None, "count": 3}]
    assert as_text(rows).splitlines() == [
        "id\tcreated\tcount",
        f"dpl_1\t2026-11-23 14:12:41Z\t{MS}",
        "dpl_2\t\t3",
    ]
