"""A row in full, with what had to be cut on the page."""

from __future__ import annotations

from textual.content import Content

from isla_console.runbook.model import DatabaseCheck, HealthCheck
from isla_console.session.state import ConsoleState
from isla_console.text.times import clock_text, day_text
from isla_console.ui.lines import RowKey
from isla_console.ui.theme import MUTED
from isla_console.ui.views.contacts import contact_lines
from isla_console.ui.views.describe import describe
from isla_console.ui.views.issue import step_lines
from isla_console.ui.views.timeline import event_detail

Shown = tuple[str, list[Content]]


def of_row(key: str, state: ConsoleState) -> Shown | None:
    """Return title and lines for the row with this key, as text; None if there is no more to say."""
    runbook = state.runbook
    match RowKey.parse(key):
        case RowKey("step", id):
            step = runbook.step(id)
            return step.title, step_lines(step, state)
        case RowKey("contact", id):
            contact = next(item for item in runbook.contacts if item.id == id)
            return contact.role, contact_lines(contact)
        case RowKey("event", id) if state.incident is not None:
            event = next((event for event in state.incident.timeline if event.id == id), None)
            return (describe(event, state), event_detail(event)) if event else None
        case RowKey("metric", id):
            return _metric(id, state)
        case RowKey("probe", id):
            return _probe(id, state)
    return None


def _metric(id: str, state: ConsoleState) -> Shown:
    spec = state.runbook.metric(id)
    reading = state.reading(id)
    facts = [("Normal", str(spec.normal)), ("Alert", str(spec.alert))]
    if reading is not None:
        few = " (few samples: provisional)" if reading.provisional else ""
        facts += [
            ("Now", f"{reading.text} {reading.state}{few}"),
            ("Source", reading.source),
            ("Samples", str(reading.n)),
            (
                "Sampled",
                clock_text(reading.sampled_at, state.now, seconds=True) if reading.sampled_at else "never",
            ),
            ("Since", clock_text(reading.since, state.now, seconds=True) if reading.since else ""),
            ("Reason", reading.reason),
        ]
    lines = _facts(facts)
    if spec.source.query:
        lines += [Content(""), *(Content(line) for line in spec.source.query.splitlines())]
    return spec.title, lines


def _probe(id: str, state: ConsoleState) -> Shown | None:
    probe = next((item for item in state.snapshot.probes if item.id == id), None) if state.snapshot else None
    check = next((item for item in state.runbook.all_probes() if item.id == id), None)
    if probe is None or check is None:
        return None
    facts = [("State", probe.state), ("Reason", probe.reason)]
    if isinstance(check, HealthCheck):
        facts = [
            ("Request", f"{check.method} {check.url}"),
            ("Expects", ", ".join(map(str, check.expect_status))),
            *facts,
        ]
    if probe.sample is not None:
        facts.append(("At", clock_text(probe.sample.at, state.now, seconds=True)))
        if (phases := probe.sample.phases) is not None:
            timed = {
                "DNS": phases.dns_ms,
                "Connect": phases.connect_ms,
                "TLS": phases.tls_ms,
                "First byte": phases.first_byte_ms,
                "Total": phases.total_ms,
            }
            facts += [
                (name, f"{value:.1f} ms" if value is not None else "–") for name, value in timed.items()
            ]
            facts += [
                ("Status", str(phases.status or "–")),
                ("Address", phases.address or "–"),
                ("Location", phases.location or "–"),
                (
                    "Certificate",
                    f"expires {day_text(phases.cert_expires)}" if phases.cert_expires else "none",
                ),
            ]
    if isinstance(check, DatabaseCheck):
        query = (Content(line) for line in check.query.splitlines())
        return check.title, [*_facts([*facts, ("Because", check.because or "")]), Content(""), *query]
    if check.source:
        facts += [("Original", check.source), ("Because", check.because or "")]
    return check.title, _facts(facts)


def _facts(facts: list[tuple[str, str]]) -> list[Content]:
    return [Content.assemble((f"{name:<12}", MUTED), value) for name, value in facts if value]
