"""An event in words, with the names that the panels carry."""

from dataclasses import replace

from isla_console.incident.record.events import Event
from isla_console.incident.record.words import sentence
from isla_console.session.state import Board

_MEASURED = frozenset({"metric_changed", "probe_changed", "vendor_changed"})


def told(event: Event, board: Board) -> str:
    """Who did what, in one line; measures and probes by their names, not their ids."""
    if board.incident is None:
        return event.kind
    if event.kind in _MEASURED:
        event = replace(event, data={**event.data, "name": _name(str(event.data.get("name")), board)})
    elif event.data.get("step"):
        event = replace(event, data={**event.data, "step": _step(str(event.data["step"]), board)})
    return sentence(event, board.incident)


def _step(id: str, board: Board) -> str:
    """A step's title; its id where the runbook does not know it any more."""
    try:
        return f"“{board.runbook.step(id).title}”"
    except KeyError:
        return id


def _name(id: str, board: Board) -> str:
    named = {metric.id: metric.short for metric in board.runbook.metrics}
    named |= {probe.id: probe.title for probe in board.runbook.all_probes()}
    named |= {vendor.id: vendor.title for vendor in board.runbook.vendors}
    return named.get(id, id)
