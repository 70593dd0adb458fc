"""The drift of subscriptions between the database and Stripe: the last comparison, and the next one."""

from __future__ import annotations

from textual.content import Content

from isla_console.monitor.stripe.drift import Drift
from isla_console.session.state import Comparing, ConsoleState
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text
from isla_console.ui.lines import Row, RowKey
from isla_console.ui.theme import MUTED, STYLES

_LISTED = 8
A_MINUTE = 12_000
"""Subscriptions read in a minute, at two pages of a hundred per second."""


def drift_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw the last comparison, and the rows that begin one, the quick one first."""
    drift = state.drift
    rows: list[Row] = []
    if isinstance(drift, str):
        rows.append(Row.text(Content.styled(f" ? {drift}", "$warning")))
    elif drift is not None:
        rows += _found(drift, state, width)
    if state.comparing:
        going = Content.assemble(" ", (progress(state.comparing), "bold"), (" · X stops it", MUTED))
        return [*rows, Row(RowKey("drift", "now"), going.truncate(width, ellipsis=True))]
    rows.append(Row(RowKey("drift", "now"), _offer("compare now", "the newest 5,000")))
    if isinstance(drift, Drift) and not drift.complete:
        pace = f"in the background, 1 min for {A_MINUTE:,}"
        rows.append(Row(RowKey("drift", "all"), _offer("compare all", pace)))
    return rows


def summary(drift: Drift) -> str:
    """Say the outcome in one sentence."""
    if not drift.compared and not drift.total:
        return "Stripe has no subscription, and neither has the database"
    if not drift.total:
        return f"{drift.compared:,} compared, no difference"
    return f"{drift.total:,} of {drift.compared:,} differ"


def progress(comparing: Comparing) -> str:
    """Say how far comparing is, by the database's count, because Stripe does not say how many it has."""
    read, left_s = comparing.read, comparing.left_s
    if not comparing.every:
        return f"comparing … {read:,} so far"
    if comparing.waits:
        return f"{comparing.waits} · {read:,} read"
    if not read:
        return "comparing all …"
    if left_s is None:
        known = (
            "how many are left is not known" if comparing.expected is None else "more than the database has"
        )
        return f"{read:,} read, {known}"
    if left_s < 60:
        return f"{read:,} read, less than a minute left"
    return f"{read:,} read, about {span_text(60 * round(left_s / 60))} left"


def differences(drift: Drift, most: int) -> list[tuple[str, str]]:
    """Return at most `most` differences of each kind, as id and line: states, never people.

    There are some of each kind, so that the commonest does not hide the rest.
    """
    return [
        *((id, f"{id:<32} database {ours}, Stripe {theirs}") for id, ours, theirs in drift.differ[:most]),
        *((id, f"{id:<32} only Stripe has it, {status}") for id, status in drift.only_stripe[:most]),
        *((id, f"{id:<32} only the database has it, {status}") for id, status in drift.only_database[:most]),
    ]


def _offer(what: str, how: str) -> Content:
    return Content.assemble((" ↵ ", "$accent bold"), f" {what}", (f"  {how}", MUTED))


def _found(drift: Drift, state: ConsoleState, width: int) -> list[Row]:
    rows = [Row.text(_headline(drift, state).truncate(width, ellipsis=True))]
    if drift.ended:
        rows.append(Row.text(Content.styled(f" ended early: {drift.ended}", "$warning")))
    listed = differences(drift, _LISTED)
    for id, line in listed:
        rows.append(Row(RowKey("subscription", id), Content(f"   {line}").truncate(width, ellipsis=True)))
    if (more := drift.total - len(listed)) > 0:
        rows.append(
            Row(RowKey("differences"), Content.assemble(f"   and {more:,} more", ("  ↵ list", MUTED)))
        )
    return rows


def _headline(drift: Drift, state: ConsoleState) -> Content:
    at = clock_text(drift.at, state.now)
    if not drift.compared and not drift.total:
        return Content.styled(f" {summary(drift)} · {at}", MUTED)
    whole = "all" if drift.complete else f"the newest {drift.compared:,} of more"
    glyph = (" ▲ ", STYLES["elevated"]) if drift.total else (" ● ", STYLES["ok"])
    said = (summary(drift), "bold" if drift.total else "")
    return Content.assemble(glyph, said, (f" · {whole} · {at}", MUTED))
