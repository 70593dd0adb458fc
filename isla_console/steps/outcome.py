"""The outcome of a step: its result in a word, its rows, whether it met what was expected, what changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from isla_console.runbook.patterns import found_in
from isla_console.runbook.steps import Effect, Expect
from isla_console.steps.rows import Row, cell, columns_of, time_columns
from isla_console.text.times import full_text, moment

Ending = Literal["done", "failed", "stopped"]

MOST_CHANGES: Final = 8
STORED: Final = 16 * 1024
"""How many characters of output the journal keeps."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run. All text is redacted; `output` is bounded.

    `exit_code` is the process's, or 0 for a good answer and 1 for another; `met` is None where nothing was
    expected.
    """

    step: str
    command: str
    effect: Effect
    started_at: datetime
    duration_ms: float
    ending: Ending
    result: str
    exit_code: int
    output: str
    truncated: bool
    status: int | None = None
    rows: tuple[Row, ...] | None = None
    met: bool | None = None
    expected: str = ""
    symptoms: tuple[str, ...] = ()
    changed: tuple[str, ...] | None = None
    """What differs from the run before; None when this was the first, empty when nothing does."""


def check(
    expect: Expect | None, *, status: int | None, exit_code: int | None, rows: int | None, text: str
) -> tuple[bool | None, str]:
    """Return whether an expectation is met, and what it was, such as `status 200`, or what is missing."""
    if expect is None:
        return None, ""
    wanted: list[tuple[bool, str]] = []
    if expect.status:
        wanted.append((status in expect.status, "status " + " or ".join(map(str, expect.status))))
    if expect.exit_code is not None:
        wanted.append((exit_code == expect.exit_code, f"exit {expect.exit_code}"))
    if expect.pattern is not None:
        found = found_in(expect.pattern, text, lines=True)
        wanted.append((found, f"{expect.pattern} in the output"))
    if expect.rows is not None:
        wanted.append((rows is not None and expect.rows.holds(rows), f"{expect.rows} rows"))
    if not wanted:
        return None, ""
    missing = [what for holds, what in wanted if not holds]
    return not missing, ", ".join(missing or (what for _, what in wanted))


def changes(before: Outcome | None, rows: Sequence[Row] | None, text: str) -> tuple[str, ...] | None:
    """Return what differs from the run before in short lines: `+ dpl_1 …`, `- …`, `state READY → ERROR`."""
    if before is None:
        return None
    if rows is not None and before.rows is not None:
        return tuple(_row_changes(before.rows, rows))[:MOST_CHANGES]
    lines = difflib.unified_diff(before.output.splitlines()[:400], text.splitlines()[:400], n=0, lineterm="")
    kept = [line for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    return tuple(f"{line[0]} {line[1:]}" for line in kept[:MOST_CHANGES])


def _row_changes(before: Sequence[Row], after: Sequence[Row]) -> Iterable[str]:
    """Yield the lines for rows, which are matched by their first column."""
    columns = columns_of([*before, *after])
    if not columns:
        return
    key = columns[0]
    old = {cell(row.get(key)): row for row in before}
    new = {cell(row.get(key)): row for row in after}
    times = time_columns([*before, *after])

    def said(row: Row, column: str) -> str:
        at = moment(row.get(column)) if column in times else None
        return full_text(at, seconds=True) if at is not None else cell(row.get(column)) or "–"

    for name, row in new.items():
        if name not in old:
            yield f"+ {name}"
        else:
            for column in columns[1:]:
                was, now = said(old[name], column), said(row, column)
                if was != now:
                    yield f"{name}: {column} {was} → {now}"
    for name in old:
        if name not in new:
            yield f"- {name}"
