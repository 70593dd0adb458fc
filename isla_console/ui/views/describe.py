"""An event in words, with the names that the panels carry."""

from __future__ import annotations

from dataclasses import replace

from isla_console.incident.record.events import Event
from isla_console.incident.record.words import sentence
from isla_console.session.state import ConsoleState

_MEASURED = frozenset({"metric_changed", "probe_changed", "vendor_changed"})


def describe(event: Event, state: ConsoleState) -> str:
    """Say what happened in one line, with the names of measures and probes, not their ids."""
    if state.incident is None:
        return event.kind
    if event.kind in _MEASURED:
        event = replace(event, data={**event.data, "name": _name(str(event.data.get("name")), state)})
    elif event.data.get("step"):
        event = replace(event, data={**event.data, "step": _step(str(event.data["step"]), state)})
    return sentence(event, state.incident)


def _step(id: str, state: ConsoleState) -> str:
    """Return a step's title, or its id if the runbook no longer knows it."""
    try:
        return f"“{state.runbook.step(id).title}”"
    except KeyError:
        return id


def _name(id: str, state: ConsoleState) -> str:
    named = {metric.id: metric.short for metric in state.runbook.metrics}
    named |= {probe.id: probe.title for probe in state.runbook.all_probes()}
    named |= {vendor.id: vendor.title for vendor in state.runbook.vendors}
    return named.get(id, id)
