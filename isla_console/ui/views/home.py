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
from isla_console.triage.health import Health, failing_words
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import GLYPHS, LEVEL_GLYPHS, LEVEL_STYLES, MUTED, STYLES
from isla_console.ui.views.runbook import runbook_rows
from isla_console.ui.views.triage import offered, triage_rows, vendor_rows


def home_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw a sentence on the measures, the next key, each measure and probe, and older incidents."""
    rows = _paragraph(_situation(state), width)
    for fault in state.health.faults:
        text = f"! Our own fault: {plain(fault)}. What it keeps from being asked is not known."
        rows += _paragraph(Content.styled(text, "$warning"), width)
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
            left = Content.assemble(" ", (GLYPHS[probe.seen], STYLES[probe.seen]), f" {probe.title}  ")
            right = Content.styled(detail, MUTED).truncate(
                max(8, width - left.cell_length - 1), ellipsis=True
            )
            rows.append(Row(RowKey("probe", probe.id), ends(left, right, width)))
    rows += vendor_rows(state, width)
    rows += _earlier(state, width)
    rows += [Row.text(""), Row.heading("Runbook"), *runbook_rows(state, width)]
    return rows


def _situation(state: ConsoleState) -> Content:
    """Say in a sentence how it stands: what fails first, and green only if all that is declared is well."""
    whole = state.health
    style = LEVEL_STYLES[whole.level]
    match whole.level:
        case "alert":
            return Content.assemble((f"{GLYPHS['alert']} {_failing(whole)}", style), _failing_details(state))
        case "blind":
            reason = state.snapshot.link.reason if state.snapshot is not None else ""
            said = f"Blind: our own link is down ({plain(reason)}). Nothing is called down."
        case "unset":
            said = (
                "Nothing is configured yet: set the variables below, or meet the console on a real local "
                "platform with: isla-console drill redirect-down"
            )
        case "starting":
            said = "Starting: the first samples are on their way."
        case "elevated":
            said = f"{_raised(whole)}.{_beside(whole)}"
        case "fault" | "unknown":
            said = f"{_counts(whole)}.{_beside(whole)}"
        case "ok":
            return Content.assemble((GLYPHS["ok"], style), f" {_counts(whole)}.")
    return Content.styled(f"{LEVEL_GLYPHS[whole.level]} {said}", style)


def _failing(whole: Health) -> str:
    said = failing_words(whole.failing)
    return f"{said[0].upper()}{said[1:]}: "


def _failing_details(state: ConsoleState) -> str:
    """Name what fails with its value or reason, and for how long; then what else is not known."""
    failing = state.health.failing
    named = "; ".join(" ".join(filter(None, (plain(one.title), plain(one.text)))) for one in failing[:4])
    more = f"; and {len(failing) - 4} more" if len(failing) > 4 else ""
    since = min((one.since for one in failing if one.since), default=None)
    lasting = f", for {span_text(state.now - since)}" if since else ""
    return f"{named}{more}{lasting}.{_beside(state.health)}"


def _raised(whole: Health) -> str:
    measures = [plain(one.title) for one in whole.raised if one.kind != "vendor"]
    vendors = [plain(one.title) for one in whole.raised if one.kind == "vendor"]
    said = [f"Elevated: {', '.join(measures)}"] if measures else []
    if vendors:
        said.append(f"{' and '.join(vendors)} report{'s' if len(vendors) == 1 else ''} trouble")
    return "; ".join(said)


def _counts(whole: Health) -> str:
    """Say of each kind how many are well, such as `5 of 6 measures are within bounds`."""
    said = []
    for kind, well in (
        ("measure", "measures are within bounds"),
        ("probe", "probes answer as they should"),
        ("vendor", "vendors report no trouble"),
    ):
        parts = [one for one in whole.parts if one.kind == kind]
        if count := sum(one.is_well for one in parts):
            said.append(f"{count} of {len(parts)} {well}")
    if whole.link != "ok":
        said.append(f"our own link is {whole.link}")
    return ", ".join(said) or "Nothing is known to be well"


def _beside(whole: Health) -> str:
    """Name what is not measured, and why where it is one thing alone."""
    missing = whole.unmeasured
    if not missing:
        return ""
    if len(missing) > 3:
        return f" Not known: {missing[0].title}, {missing[1].title} and {len(missing) - 2} more."
    one = missing[0]
    if len(missing) == 1 and one.text:
        return f" Not known: {one.title} ({plain(one.text)})."
    return f" Not known: {', '.join(part.title for part in missing)}."


def _next(state: ConsoleState) -> Iterator[Row]:
    if state.incident is None:
        if offered(state) is None:
            yield _command("declare", "d", "declare an incident")
        yield _command("search", "/", "search the runbook")
        yield _command("help", "?", "all keys")
        return
    incident = state.incident
    if incident.issue:
        title = state.issue_title(incident.issue)
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
        (GLYPHS[reading.seen], STYLES[reading.seen]),
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


def _paragraph(content: Content, width: int) -> list[Row]:
    return [Row.text(line) for line in content.wrap(max(10, width - 1))]
