"""What others told us, in full: a vendor, a payment, an endpoint, a subscription."""

from __future__ import annotations

from textual.content import Content

from isla_console.monitor.stripe.drift import Drift
from isla_console.monitor.stripe.payments import Details
from isla_console.session.state import ConsoleState
from isla_console.text.times import clock_text
from isla_console.ui.theme import MUTED
from isla_console.ui.views.drift import differences

Shown = tuple[str, list[Content]]
_MOST = 200
"""The most differences of a kind that are listed; more are a job for a script."""


def vendor(id: str, state: ConsoleState) -> Shown | None:
    """Draw a vendor's status page in full."""
    vendors = state.snapshot.vendors if state.snapshot is not None else ()
    found = next((one for one in vendors if one.id == id), None)
    if found is None:
        return None
    return found.title, _facts(
        ("State", found.state),
        ("Says", found.text),
        (
            "Since",
            clock_text(found.since, state.now, seconds=True)
            if found.since is not None and found.known
            else "",
        ),
        ("Read", clock_text(found.at, state.now, seconds=True) if found.at is not None else "never"),
        ("From", state.runbook.vendor(id).url),
        ("Mind", "Status pages lag by 5 to 30 minutes: no entry does not mean no trouble."),
    )


def payment(id: str, state: ConsoleState) -> Shown | None:
    """Draw a failed payment in full."""
    found = next((one for one in _details(state).failed if one.id == id), None)
    if found is None:
        return None
    return found.id, _facts(
        ("At", clock_text(found.at, state.now, seconds=True)),
        ("Amount", found.amount),
        ("Code", found.code),
        ("Reason", found.reason),
        ("Refused by", "Stripe's own rules" if found.blocked else "the bank or network"),
    )


def endpoint(id: str, state: ConsoleState) -> Shown | None:
    """Draw a webhook endpoint in full."""
    found = next((one for one in _details(state).endpoints if one.id == id), None)
    if found is None:
        return None
    return found.id, _facts(("Address", found.url), ("State", "enabled" if found.enabled else "disabled"))


def subscription(id: str, console_state: ConsoleState) -> Shown | None:
    """Draw a subscription that differs in full."""
    drift = console_state.drift
    if not isinstance(drift, Drift):
        return None
    ours = {one: state for one, state, _ in drift.differ} | dict(drift.only_database)
    theirs = {one: state for one, _, state in drift.differ} | dict(drift.only_stripe)
    return id, _facts(
        ("Database", ours.get(id, "does not have it")),
        ("Stripe", theirs.get(id, "does not have it")),
        ("Compared", clock_text(drift.at, console_state.now, seconds=True)),
    )


def differing(state: ConsoleState) -> Shown | None:
    """Draw the subscriptions that differ, up to `_MOST` of each kind."""
    drift = state.drift
    if not isinstance(drift, Drift):
        return None
    listed = differences(drift, _MOST)
    lines = [Content(line) for _, line in listed]
    if (more := drift.total - len(listed)) > 0:
        lines.append(Content.styled(f"and {more:,} more that are not listed", MUTED))
    return f"{drift.total:,} subscriptions differ · {clock_text(drift.at, state.now, seconds=True)}", lines


def _details(state: ConsoleState) -> Details:
    payments = state.snapshot.payments if state.snapshot is not None else None
    return payments.details if payments is not None else Details()


def _facts(*facts: tuple[str, str]) -> list[Content]:
    return [Content.assemble((f"{name:<12}", MUTED), value) for name, value in facts if value]
