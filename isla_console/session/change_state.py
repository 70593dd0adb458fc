"""Taking an incident to another state: which command does it, and with which events."""

from __future__ import annotations

from isla_console.incident import commands
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.communication import final_update
from isla_console.session.session import Session
from isla_console.session.state import ConsoleState


def state_events(
    session: Session, incident: Incident, state: ConsoleState, *, to: str, reason: str
) -> list[Event]:
    """Return the events that take `incident` to the state `to`; resolving also drafts the final update.

    Raises:
        Refused: It cannot go there now; the message says why.
    """
    author, now = session.author, state.now
    match to:
        case "resolved":
            return commands.resolve(
                incident,
                author=author,
                now=now,
                override=reason,
                live=state.live_states,
                final_update=final_update(
                    incident, now, service=session.runbook.customers_words(incident.issue)
                ),
            )
        case "closed":
            return commands.close(incident, author=author, now=now, reason=reason)
        case "cancelled":
            return commands.cancel(incident, reason, author=author, now=now)
        case "investigating" if not incident.is_active and incident.state != "monitoring":
            return commands.reopen(incident, reason, author=author, now=now)
        case _:
            return commands.change_state(incident, to, author=author, now=now, reason=reason)
