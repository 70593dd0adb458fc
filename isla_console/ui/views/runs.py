"""A run under its step: live lines, the result, its table, what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from isla_console.session.state import ConsoleState
from isla_console.steps.rows import NULL, cell, columns_of, time_columns
from isla_console.steps.rows import Row as Record
from isla_console.text.money import amount_text
from isla_console.text.plain import plain
from isla_console.text.spans import span_text, took_text
from isla_console.text.times import aged_text, clock_text, moment
from isla_console.ui.lines import Row, RowKey
from isla_console.ui.theme import MUTED, STYLES
from isla_console.ui.views.marks import event_state, outcome_state

if TYPE_CHECKING:
    from isla_console.runbook.steps import Step
    from isla_console.session.steps import RunView

MOST_ROWS = 8
"""Rows of a table under a step; all of them are in its detail."""
SHORT = 34
"""Characters of a result on the step's own line."""
WIDEST = 36
"""The most cells of one column when others need room too."""


def result_word(view: RunView, state: ConsoleState) -> Content:
    """Say the step's result in a word, for the end of its line."""
    outcome = view.outcome
    if outcome is None:
        count = f" · {view.received} lines" if view.is_stream else ""
        return Content.styled(
            f"runs {span_text(view.elapsed_s, seconds=True)}{count}  X: stop", "$accent bold"
        )
    style = STYLES["alert"] if outcome_state(outcome) in {"failed", "unexpected"} else MUTED
    time = f" · {took_text(outcome.duration_ms / 1000)} · {clock_text(outcome.started_at, state.now)}"
    return Content.styled(f"{_short(outcome.result)}{time}", style)


def run_rows(view: RunView, state: ConsoleState, width: int, indent: str) -> Iterator[Row]:
    """Draw the lines under a step."""
    room = max(10, width - len(indent))
    outcome = view.outcome

    def line(content: Content | str, style: str = MUTED) -> Row:
        if isinstance(content, str):
            content = Content.styled(plain(content), style)
        return Row.text(Content.assemble(indent, content.truncate(room, ellipsis=True)))

    if outcome is None:
        if view.is_stream:
            for record in view.records[-1:]:
                yield line("  ".join(cell(value) for value in record.values()))
            yield line("T: its page")
        for text in view.lines:
            yield line(text)
        return
    if outcome.met is not None:
        if outcome.met:
            yield line(Content.styled(f"as expected: {plain(outcome.expected)}", "$success"))
        else:
            yield line(Content.styled(f"not as expected: {plain(outcome.expected)}", STYLES["alert"]))
    if len(outcome.result) > SHORT:
        bad = outcome_state(outcome) in {"failed", "unexpected"}
        yield line(outcome.result, STYLES["alert"] if bad else MUTED)
    if view.masked:
        yield line("the output is masked   V: show it for 10 s")
    elif outcome.rows is not None and (outcome.rows or len(outcome.result) <= SHORT):
        for content in table_lines(outcome.rows, room, state.now, most=MOST_ROWS, step=view.step):
            yield line(content)
    elif outcome.output.strip():
        shown = [text for text in outcome.output.splitlines() if text.strip()]
        for text in shown[:MOST_ROWS]:
            yield line(text)
        if len(shown) > MOST_ROWS:
            yield line(f"… {len(shown) - MOST_ROWS} more lines   →: in full")
    if view.progress:
        yield line(view.progress, "$accent")
    if view.undo is not None:
        undo = Content.styled(f"↩ {view.undo.title}   x: do it", "$accent")
        yield Row(RowKey("undo", view.step.id), Content.assemble(indent, undo.truncate(room, ellipsis=True)))
    if outcome.changed is not None:
        if outcome.changed:
            for text in outcome.changed:
                yield line(f"changed: {text}", "$accent")
        else:
            yield line("the same as before")


def output_lines(view: RunView, now: datetime, width: int) -> list[Content]:
    """Draw a result in full, for the step's detail."""
    outcome = view.outcome
    if outcome is None:
        return [Content(plain(line)) for line in view.lines]
    head = Content.styled(f"{plain(outcome.result)} · {took_text(outcome.duration_ms / 1000)}", "bold")
    if view.masked:
        return [head, Content.styled("the output is masked   V: show it for 10 s", MUTED)]
    if outcome.rows is not None:
        return [head, *table_lines(outcome.rows, width, now, most=500, widest=width, step=view.step)]
    lines = [Content(plain(text)) for text in outcome.output.splitlines()[:2000]]
    cut = [Content.styled("(cut)", MUTED)] if outcome.truncated else []
    return [head, *lines, *cut]


def table_lines(
    records: Sequence[Record],
    width: int,
    now: datetime,
    *,
    most: int,
    widest: int = WIDEST,
    step: Step | None = None,
) -> list[Content]:
    """Draw rows as an aligned table: a header, then a line for each, the last column cut if need be.

    `step` is what they are the answer of: it may say which columns are times and amounts.
    """
    if not records:
        return [Content.styled("no rows", MUTED)]
    shown = records[:most]
    every = columns_of(shown)
    columns = [name for name in every if any(row.get(name) is not None for row in shown)]
    # Rows of nothing but nulls are rows all the same, and say so.
    empty, columns = ("", columns) if columns else (NULL, list(every))
    moments = time_columns(shown, step.times if step is not None else ())
    money = step.money if step is not None else {}

    def written(name: str, row: Record) -> str:
        currency = row.get(money[name]) if name in money else None
        if isinstance(currency, str) and row.get(name) is not None:
            return amount_text(row.get(name), currency)
        return _value(name, row.get(name), now, name in moments)

    columns = [name for name in columns if name not in money.values()]
    cells = [[plain(written(name, row)) or empty for name in columns] for row in shown]
    sizes = [
        min(widest, max(Content(text).cell_length for text in (plain(name), *(row[i] for row in cells))))
        for i, name in enumerate(columns)
    ]
    lines = [_table_line([plain(name) for name in columns], sizes, MUTED)]
    lines += [_table_line(row, sizes, "") for row in cells]
    if len(records) > most:
        lines.append(Content.styled(f"… {len(records) - most} more rows   →: in full", MUTED))
    return [line.truncate(width, ellipsis=True) for line in lines]


def _table_line(cells: Sequence[str], sizes: Sequence[int], style: str) -> Content:
    parts: list[Content | str] = []
    for text, size in zip(cells, sizes, strict=True):
        parts += [Content.styled(text, style).truncate(size, ellipsis=True, pad=True), "  "]
    return Content.assemble(*parts)


def _value(name: str, value: object, now: datetime, is_time: bool) -> str:
    """Write a cell; a time as a clock and how far away it is."""
    if is_time and (at := moment(value)) is not None:
        return aged_text(at, now)
    if name == "commit" and isinstance(value, str) and len(value) == 40:
        return value[:7]
    return cell(value)


def _short(text: str) -> str:
    """Shorten a result so that the step's title has room; what does not fit is shown under it."""
    text = plain(text)
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"


def ran_before(state: ConsoleState, step: str) -> Content | None:
    """Say when a step was last run in the incident, by whichever console; None if it was not."""
    event = state.ran.get(step)
    if event is None:
        return None
    said = plain(str(event.data.get("result") or f"exit {event.data.get('exit_code')}"))
    style = STYLES["alert"] if event_state(event) in {"failed", "unexpected"} else MUTED
    return Content.styled(
        f"{_short(said)} · {clock_text(event.occurred_at, state.now)} {plain(event.actor)}", style
    )
