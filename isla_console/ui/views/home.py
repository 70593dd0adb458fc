"""The overview page: what is true now, what to do first, what is left from before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from isla_console.incident.record.state import Incident
from isla_console.monitor.metrics.metric import Reading
from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import GLYPHS, MUTED, STYLES
from isla_console.ui.views.triage import offered, triage_rows, vendor_rows


def home_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw a sentence on the measures, the next key, each measure and probe, and older incidents."""
    rows = _paragraph(_situation(state), width)
    for problem in state.settings:
        rows += _paragraph(Content.styled(f"! {plain(problem)}", "$warning"), width)
    found = list(triage_rows(state, width))
    rows += [*found, *([] if found and found[-1].key else [Row.text("")])]
    rows += _next(state)
    rows += [Row.text(""), Row.heading("Measures")]
    rows += [_measure(reading, state, width) for reading in _readings(state)]
    if state.snapshot is not None:
        rows += [Row.text(""), Row.heading("Probes")]
        for probe in state.snapshot.probes:
            detail = probe.reason or (_timing(probe.sample.phases) if probe.sample else "")
            left = Content.assemble(" ", (GLYPHS[probe.state], STYLES[probe.state]), f" {probe.title}  ")
            right = Content.styled(detail, MUTED).truncate(
                max(8, width - left.cell_length - 1), ellipsis=True
            )
            rows.append(Row(RowKey("probe", probe.id), ends(left, right, width)))
    rows += vendor_rows(state, width)
    rows += _earlier(state, width)
    rows += [Row.text(""), Row.heading("Runbook"), *_runbook(state, width)]
    return rows


def _situation(state: ConsoleState) -> Content:
    if state.snapshot is None:
        return Content.styled("Measuring … first samples are on their way.", MUTED)
    readings = state.snapshot.metrics
    if state.snapshot.link.state == "blind":
        return Content.styled(
            f"{GLYPHS['blind']} Blind: our own link is down ({state.snapshot.link.reason}). "
            "Nothing is called down.",
            "$warning",
        )
    if all(reading.state == "unknown" for reading in readings) and state.missing:
        return Content.styled(
            "Nothing is configured yet: set the variables below, or meet the console on a real local "
            "platform with: isla-console drill redirect-down",
            "$warning",
        )
    hot = [reading for reading in readings if reading.state == "alert"]
    if hot:
        facts = ", ".join(f"{reading.title} {reading.text} ({reading.bound})" for reading in hot)
        since = min((reading.since for reading in hot if reading.since), default=None)
        lasting = f", for {span_text(state.now - since)}" if since else ""
        count = "One measure is" if len(hot) == 1 else f"{len(hot)} measures are"
        return Content.assemble(
            (f"{GLYPHS['alert']} {count} in alert: ", STYLES["alert"]), (f"{facts}{lasting}.", "")
        )
    unmeasured = [reading for reading in readings if reading.state in {"unknown", "stale"}]
    measured = len(readings) - len(unmeasured)
    beside = f" {len(unmeasured)} not measured." if unmeasured else ""
    raised = [reading.title for reading in readings if reading.state == "elevated"]
    if raised:
        return Content.styled(f"{GLYPHS['elevated']} Elevated: {', '.join(raised)}.{beside}", "$warning")
    return Content.assemble(
        (GLYPHS["ok"], STYLES["ok"]), f" {measured} of {len(readings)} measures are within bounds.{beside}"
    )


def _next(state: ConsoleState) -> Iterator[Row]:
    if state.incident is None:
        if offered(state) is None:
            yield _command("declare", "d", "declare an incident")
        yield _command("search", "/", "search the runbook")
        yield _command("help", "?", "all keys")
        return
    incident = state.incident
    if incident.issue:
        title = state.runbook.issue(incident.issue).title
        yield Row(
            RowKey("goto", incident.issue), Content.assemble((" ↵ ", "$accent bold"), f" the issue: {title}")
        )
    yield _command("state", "m", f"state, now {incident.state}")
    yield _command("note", "n", "note what you see")


def _command(id: str, key: str, text: str) -> Row:
    """A row that does a command, with the command's key before it."""
    return Row(RowKey("command", id), Content.assemble((f" {key} ", "$accent bold"), f" {text}"))


def _readings(state: ConsoleState) -> Sequence[Reading]:
    return state.snapshot.metrics if state.snapshot else ()


def _measure(reading: Reading, state: ConsoleState, width: int) -> Row:
    spec = state.runbook.metric(reading.id)
    value = reading.text if reading.value is not None else reading.state
    left = Content.assemble(
        " ",
        (GLYPHS[reading.state], STYLES[reading.state]),
        f" {reading.title:<24}",
        (f"{value:>10}", "bold" if reading.state in {"alert", "elevated"} else ""),
    )
    because = reading.reason or f"normal {spec.normal}, alert {spec.alert} · {reading.source}"
    room = max(0, width - left.cell_length - 2)
    right = Content.styled(because, MUTED).truncate(room, ellipsis=True)
    return Row(RowKey("metric", reading.id), ends(left, right, width))


def _timing(phases: object) -> str:
    status = getattr(phases, "status", None)
    total = getattr(phases, "total_ms", None)
    return " · ".join(
        part
        for part in (str(status) if status else "", f"{total:.0f} ms" if total is not None else "")
        if part
    )


def _earlier(state: ConsoleState, width: int) -> list[Row]:
    """Draw the other incidents, open ones first."""
    if not state.others:
        return []
    rows = [Row.text(""), Row.heading("Other incidents")]
    for other in state.others[:6]:
        rows.append(Row(RowKey("incident", other.id), ends(_incident(other), _standing(other, state), width)))
    return rows


def _incident(incident: Incident) -> Content:
    return Content.assemble(" ", (incident.severity, "bold"), f" {incident.title}  ", (incident.id, MUTED))


def _standing(incident: Incident, state: ConsoleState) -> Content:
    return Content.styled(
        f"{incident.state} · declared {clock_text(incident.declared_at, state.now)}",
        "$warning" if incident.is_open else MUTED,
    )


def _runbook(state: ConsoleState, width: int) -> list[Row]:
    runbook = state.runbook
    updated = runbook.last_updated or "never (the date is unfilled)"
    errors = len(state.findings)
    found = f"{errors} finding{'s' if errors != 1 else ''} · isla-console check" if errors else "no findings"
    lines = [
        f" {runbook.title} · owner {runbook.owner} · updated {updated} · {found}",
        *([f" Set: {', '.join(state.missing)}"] if state.missing else []),
    ]
    return [Row.text(Content.styled(line, MUTED).truncate(width, ellipsis=True)) for line in lines]


def _paragraph(content: Content, width: int) -> list[Row]:
    return [Row.text(line) for line in content.wrap(max(10, width - 1))]
