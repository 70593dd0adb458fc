"""The payments page: the rate, what failed and why, undelivered events, the endpoints, and the drift."""

from __future__ import annotations

from textual.content import Content

from isla_console.monitor.sources.payments import PaymentsReading
from isla_console.monitor.stripe.payments import reasons
from isla_console.session.state import ConsoleState
from isla_console.text.spans import age, window_text
from isla_console.text.times import clock_text
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import GLYPHS, MUTED, STYLES
from isla_console.ui.views.drift import drift_rows

_LISTED = 8


def payment_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw the sections, each of which says what it could not read."""
    reading = state.snapshot.payments if state.snapshot is not None else None
    if reading is None:
        return [Row.text(Content.styled("No metric of this runbook is Stripe's.", MUTED))]
    rows = [Row.text(_head(reading, state, width)), *_rate(state)]
    details = reading.details
    if reading.reason:
        rows.append(Row.text(Content.styled(f" {reading.reason}", "$warning")))
    if details.clock:
        rows.append(Row.text(Content.styled(f" {details.clock}", "$warning")))
    if reading.at is not None:
        rows += _failed(reading, state, width)
        rows += _undelivered(reading, state, width)
        rows += _endpoints(reading, width)
    rows += [Row.text(""), Row.heading("Subscriptions · the database against Stripe")]
    rows += drift_rows(state, width)
    return rows


def badge(reading: PaymentsReading) -> Content:
    """Say LIVE or TEST, which is never left out once the key tells."""
    if reading.mode == "LIVE":
        return Content.styled(" LIVE ", "$background on $error bold")
    if reading.mode == "TEST":
        return Content.styled(" TEST ", "$background on $warning bold")
    return Content.styled(" no key " if reading.at is None else " mode unknown ", MUTED)


def mode(state: ConsoleState) -> Content:
    """Say LIVE or TEST, for the sidebar."""
    reading = state.snapshot.payments if state.snapshot is not None else None
    return Content.styled(reading.mode if reading is not None else "", MUTED)


def _head(reading: PaymentsReading, console_state: ConsoleState, width: int) -> Content:
    old = f"read {age(console_state.now - reading.at)} ago" if reading.at else ""
    state = f"{GLYPHS[reading.state]} {reading.state}" if reading.state != "ok" else ""
    return ends(
        Content.assemble(" ", badge(reading), " Stripe ", (state, MUTED)), Content.styled(old, MUTED), width
    )


def _rate(state: ConsoleState) -> list[Row]:
    rows = []
    for spec in state.runbook.metrics:
        found = state.reading(spec.id)
        if spec.source.kind != "stripe" or found is None:
            continue
        if found.value is None:
            rows.append(Row.text(Content.styled(f" {spec.title}: {found.reason}", MUTED)))
            continue
        value = Content.styled(found.text, STYLES[found.state] if found.state != "ok" else "bold")
        hours = window_text(spec.source.window_s)
        said = f" of {found.n} attempts in {hours} · normal {spec.normal}, alert {spec.alert}"
        behind = f" · {found.reason}" if found.reason else ""
        rows.append(
            Row(
                RowKey("metric", spec.id), Content.assemble(f" {spec.title}: ", value, (said + behind, MUTED))
            )
        )
    return rows


def _section(title: str, reading: PaymentsReading, name: str) -> list[Row]:
    rows = [Row.text(""), Row.heading(title)]
    if (problem := reading.details.problems.get(name)) is not None:
        rows.append(Row.text(Content.styled(f" ? {problem}", "$warning")))
    return rows


def _failed(reading: PaymentsReading, state: ConsoleState, width: int) -> list[Row]:
    failed = reading.details.failed
    rows = _section("Failed payments, the newest", reading, "failed")
    if not failed and "failed" not in reading.details.problems:
        return [*rows, Row.text(Content.styled(" none", MUTED))]
    if failed:
        counted = ", ".join(f"{reason} {count}" for reason, count in reasons(failed))
        rows.append(Row.text(Content.styled(f" {counted}", MUTED).truncate(width, ellipsis=True)))
    for one in failed[:_LISTED]:
        why = " · ".join(filter(None, ("blocked by Stripe's rules" if one.blocked else "", one.reason)))
        line = Content.assemble(
            f" {clock_text(one.at, state.now)}  {one.amount:>12}  ",
            (f"{one.code:<20} ", ""),
            (why, MUTED),
        )
        rows.append(Row(RowKey("payment", one.id), line.truncate(width, ellipsis=True)))
    return rows


def _undelivered(reading: PaymentsReading, state: ConsoleState, width: int) -> list[Row]:
    events = reading.details.undelivered
    count = f"{len(events)}{'+' if reading.details.more_undelivered else ''}"
    rows = _section(f"Events not delivered · {count}", reading, "undelivered")
    if not events and "undelivered" not in reading.details.problems:
        return [*rows, Row.text(Content.styled(" none", MUTED))]
    for one in events[:_LISTED]:
        line = Content.assemble(
            f" {clock_text(one.at, state.now)}  {one.type:<30} ", (f"{one.id}  ↵ resend", MUTED)
        )
        rows.append(Row(RowKey("undelivered", one.id), line.truncate(width, ellipsis=True)))
    return rows


def _endpoints(reading: PaymentsReading, width: int) -> list[Row]:
    rows = _section("Webhook endpoints", reading, "endpoints")
    if not reading.details.endpoints and "endpoints" not in reading.details.problems:
        rows.append(Row.text(Content.styled(" ▲ none: no event can arrive", STYLES["elevated"])))
    for one in reading.details.endpoints:
        state = "ok" if one.enabled else "alert"
        word = "enabled" if one.enabled else "disabled"
        line = Content.assemble(
            " ", (f"{GLYPHS[state]} {word}", STYLES[state]), f"  {one.url}  ", (one.id, MUTED)
        )
        rows.append(Row(RowKey("endpoint", one.id), line.truncate(width, ellipsis=True)))
    return rows
