"""What the overview says of the runbook itself: what it is for, whose it is, whether its review is due."""

from __future__ import annotations

from textual.content import Content

from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain
from isla_console.ui.lines import Row
from isla_console.ui.theme import MUTED


def runbook_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw its title and owner, its purpose, its next review, and what is still to be set."""
    runbook = state.runbook
    updated = runbook.last_updated or "never (the date is unfilled)"
    many = len(state.findings)
    found = f"{many} finding{'s' if many != 1 else ''} · isla-console check" if many else "no findings"
    head = f" {plain(runbook.title)} · owner {plain(runbook.owner)} · updated {updated} · {found}"
    purpose = Content.styled(f"{plain(runbook.purpose)}", MUTED).wrap(max(10, width - 2))
    rows = [_line(Content.styled(head, MUTED), width)]
    rows += [_line(Content.assemble(" ", line), width) for line in purpose]
    rows.append(_line(_review(state), width))
    if state.missing:
        rows.append(_line(Content.styled(f" Set: {', '.join(state.missing)}", MUTED), width))
    return rows


def _review(state: ConsoleState) -> Content:
    runbook, today = state.runbook, state.now.date()
    often = plain(runbook.review)
    due = runbook.review_due
    if due is None:
        return Content.styled(f" Review: {often} · the next one has no date", "$warning")
    if due < today:
        days = (today - due).days
        late = "1 day" if days == 1 else f"{days} days"
        return Content.styled(f" Review: {often} · overdue since {due}, {late}", "$warning")
    return Content.styled(f" Review: {often} · next on {due}", MUTED)


def _line(content: Content, width: int) -> Row:
    return Row.text(content.truncate(width, ellipsis=True))
