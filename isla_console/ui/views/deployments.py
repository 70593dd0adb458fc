"""The deployments page: what went live and when, against what broke and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from textual.content import Content

from isla_console.monitor.metrics.metric import COURSE_STEP, STALE_INTERVALS, Reading
from isla_console.monitor.sources.deployments import DeploymentsReading
from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain
from isla_console.text.spans import age, span_text
from isla_console.text.times import clock_text
from isla_console.triage.ranking import before_onset, short_id
from isla_console.ui.lines import Row, RowKey
from isla_console.ui.theme import GLYPHS, MUTED, STYLES, sparkline
from isla_console.vendors.vercel import Deployment

_HOUR = timedelta(hours=1)
_NAME = 15
"""Cells for a measure's name, before the time line."""
_MEASURES = 3


def deployment_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw the suspect in a sentence, a time line of an hour with the alerts, then the list."""
    reading = state.snapshot.deployments if state.snapshot is not None else None
    if reading is None:
        return [Row.text(Content.styled("The runbook names no place to read deployments from.", MUTED))]
    rows = [Row.text(_sentence(state))]
    rows += [Row.text(Content.styled(line, "$warning")) for line in (reading.reason, reading.clock) if line]
    if not reading.rows:
        return rows
    rows += [Row.text(""), *_time_line(state, reading, width), Row.text("")]
    rows.append(Row.heading(f"{'  id':<14}{'live since':<19}{'state':<9}{'commit':<9}{'author':<10}message"))
    rows += [_deployment(one, state, width) for one in reading.rows]
    return rows


def _sentence(state: ConsoleState) -> Content:
    found = before_onset(state.facts)
    if found is None:
        calm = "No alert stands." if not state.facts.alerts else "No deployment went live before the alerts."
        return Content.styled(calm, MUTED)
    id, _, before = found
    what = _first_alert(state)
    style = STYLES["elevated"] if before <= _HOUR else MUTED
    return Content.styled(f"{short(id)} went live {span_text(before)} before {what}.", style)


def _first_alert(state: ConsoleState) -> str:
    onset = state.facts.onset
    for known, named in (
        (state.facts.metrics, {one.id: f"{one.short} alert" for one in state.runbook.metrics}),
        (state.facts.probes, {one.id: f"{one.title} failed" for one in state.runbook.all_probes()}),
    ):
        for id, one in known.items():
            if one.state == "alert" and one.since == onset:
                return named.get(id, id)
    return "the first alert"


def _time_line(state: ConsoleState, reading: DeploymentsReading, width: int) -> Iterator[Row]:
    """Draw the last hour, oldest left: ▾ a deployment went live, ◆ an alert began; below, the measures."""
    cells = max(20, min(width - 2 - _NAME, 100))
    indent = " " * (_NAME + 1)
    began = state.now - _HOUR

    def column(at: datetime) -> int:
        return min(cells - 1, int((at - began) / _HOUR * cells))

    marks = [" "] * cells
    line = ["─"] * cells
    spans: list[tuple[int, str]] = []
    for one in reading.rows:
        if one.live_since is not None and began <= one.live_since <= state.now:
            marks[column(one.live_since)] = "▾"
            spans.append((column(one.live_since), f"{short(one.id)} {clock_text(one.live_since)}"))
    for known in (state.facts.metrics, state.facts.probes):
        for fact in known.values():
            if fact.state == "alert" and fact.since is not None and fact.since >= began:
                line[column(fact.since)] = GLYPHS["alert"]
    labels = [" "] * cells
    for place, text in sorted(spans):
        start = min(place, cells - len(text))
        if start >= 0 and all(cell == " " for cell in labels[max(0, start - 1) : start + len(text)]):
            labels[start : start + len(text)] = text
    yield Row.text(Content.styled(f"{indent}{''.join(labels)}", "$accent"))
    yield Row.text(Content.styled(f"{indent}{''.join(marks)}", "$accent"))
    cells_of_line = ((cell, STYLES["alert"] if cell == GLYPHS["alert"] else MUTED) for cell in line)
    yield Row.text(Content.assemble(indent, *cells_of_line))
    for metric in _measured(state):
        yield Row.text(_course(metric, state, cells))
    left, right = clock_text(began), f"{clock_text(state.now)} now"
    yield Row.text(Content.styled(f"{indent}{left}{right:>{cells - len(left)}}", MUTED))


def _measured(state: ConsoleState) -> list[Reading]:
    """Return the measures to draw: alerts in the order they began, then elevated ones, then the others."""
    found = [one for one in (state.snapshot.metrics if state.snapshot else ()) if one.course]
    order = {"alert": 0, "elevated": 1}
    found.sort(key=lambda one: (order.get(one.state, 2), one.since or state.now if one.state in order else 0))
    return found[:_MEASURES]


def _course(metric: Reading, state: ConsoleState, cells: int) -> Content:
    """Draw a measure over the last hour, with gaps where nothing was measured."""
    spec = state.runbook.metric(metric.id)
    began, span = state.now - _HOUR, _HOUR / cells
    lasts = max(2 * COURSE_STEP, timedelta(seconds=STALE_INTERVALS * spec.every_s))
    worst = max if spec.alert.upward else min
    values: list[float | None] = []
    for cell in range(cells):
        start = began + cell * span
        stop = start + span if cell < cells - 1 else datetime.max.replace(tzinfo=UTC)
        here = [value for at, value in metric.course if start <= at < stop]
        before = [value for at, value in metric.course if start - lasts < at < start]
        values.append(worst(here) if here else before[-1] if before else None)
    ceiling = spec.alert.value if spec.alert.upward else 0.0
    drawn = sparkline(values, cells, ceiling)
    bad = (value is not None and spec.alert.holds(value) for value in values)
    shown = ((cell, STYLES["alert"] if hot else MUTED) for cell, hot in zip(drawn, bad, strict=False))
    return Content.assemble((f" {metric.short[: _NAME - 1]:<{_NAME}}", MUTED), *shown)


def newest(state: ConsoleState) -> Content:
    """Say how long ago the newest deployment went live, for the sidebar."""
    reading = state.snapshot.deployments if state.snapshot is not None else None
    live = [one.live_since for one in reading.rows if one.live_since] if reading is not None else []
    return Content.styled(age(state.now - max(live)) if live else "", MUTED)


def short(id: str) -> str:
    """Return an id as people say it."""
    return plain(short_id(id))


def _deployment(one: Deployment, console_state: ConsoleState, width: int) -> Row:
    glyph = Content.styled("● ", STYLES["ok"]) if one.serving else Content("  ")
    live = "never"
    if one.live_since is not None:
        old = age(console_state.now - one.live_since)
        live = f"{clock_text(one.live_since, console_state.now)} {old:>4}"
    state = Content.styled(f"{one.state.lower():<9}", STYLES["alert"] if one.state == "ERROR" else "")
    line = Content.assemble(
        glyph,
        (f"{short(one.id):<12}", "bold" if one.serving else ""),
        f"{live:<24}",
        state,
        (f"{one.commit[:7]:<9}{one.author[:9]:<10}", MUTED),
        one.message,
    )
    return Row(RowKey("deployment", one.id), line.truncate(width, ellipsis=True))


def deployment_lines(one: Deployment, state: ConsoleState) -> list[Content]:
    """Draw a deployment in full."""
    live = "never"
    if one.live_since:
        old = max(timedelta(), state.now - one.live_since)
        live = f"{clock_text(one.live_since, state.now)}, {span_text(old)} ago"
    facts = (
        ("Id", one.id),
        ("Live since", live),
        ("Serves now", "yes" if one.serving else "no"),
        ("State", one.state),
        ("Commit", one.commit),
        ("Author", one.author),
        ("Message", one.message),
    )
    return [Content.assemble((f"{name:<12}", MUTED), value) for name, value in facts if value]
