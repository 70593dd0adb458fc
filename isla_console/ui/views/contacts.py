"""The people to call: those for this severity and issue first, the rest below."""

from __future__ import annotations

from textual.content import Content

from isla_console.runbook.model import Contact
from isla_console.session.state import ConsoleState
from isla_console.ui.lines import Row, RowKey
from isla_console.ui.theme import MUTED


def contact_rows(state: ConsoleState, issue_id: str | None, width: int) -> list[Row]:
    """Draw the contacts, first those for the incident's severity and issue, or for the issue last opened."""
    runbook, incident = state.runbook, state.incident
    severity = incident.severity if incident else None
    issue_id = (incident.issue if incident else None) or issue_id
    fitting = runbook.contacts_for(severity, issue_id)
    rest = [contact for contact in runbook.contacts if contact not in fitting]
    why = " · ".join(
        part for part in (severity or "", state.issue_title(issue_id) if issue_id else "") if part
    )
    rows = [Row.heading(f"For {why}" if why and rest else "Everyone")]
    rows += [_contact(contact, width) for contact in fitting]
    if rest:
        rows += [Row.text(""), Row.heading("Others")]
        rows += [_contact(contact, width) for contact in rest]
    rows += [Row.text(""), Row.heading("Escalation path")]
    span = max(10, *(len(level.range) + 1 for level in runbook.escalation.levels))
    for level in runbook.escalation.levels:
        who = " + ".join(level.targets)
        rows.append(
            Row.text(
                Content.assemble(
                    f" {level.id}  ", (f"{level.range:<{span}}", MUTED), who, (f"  {level.note or ''}", MUTED)
                ).truncate(width, ellipsis=True)
            )
        )
    return rows


def contact_lines(contact: Contact) -> list[Content]:
    """Draw a contact in full."""
    return [
        Content.assemble((contact.role, "bold")),
        Content(""),
        Content.assemble(("Reach   ", MUTED), (contact.reach, "" if contact.contact else "$warning")),
        Content.assemble(("When    ", MUTED), contact.when),
        Content.assemble(("For     ", MUTED), ", ".join(contact.severities) or "every severity"),
        Content.assemble(("Issues  ", MUTED), ", ".join(contact.issues) or "every issue"),
    ]


def _contact(contact: Contact, width: int) -> Row:
    role = 22 if width >= 70 else 17
    reach = 24 if width >= 70 else 20
    how = (
        (f"{contact.contact:<{reach}}", "")
        if contact.contact
        else (f"{'nobody filled in':<{reach}}", "$warning")
    )
    content = Content.assemble((f" {contact.role:<{role}}", "bold"), how, (contact.when, MUTED))
    return Row(RowKey("contact", contact.id), content.truncate(width, ellipsis=True))
