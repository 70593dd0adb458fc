"""Which page shows what. A page's id is `home`, `contacts`, `timeline`, `issue:<id>`, `procedure:<id>` or so.

Pages made of rows are here; those that need widgets of their own are in `ui/pages`.
"""

from __future__ import annotations

from isla_console.session.state import ConsoleState
from isla_console.ui.lines import Row, RowKey
from isla_console.ui.main.registry import WIDGET_PAGES
from isla_console.ui.views.contacts import contact_rows
from isla_console.ui.views.deployments import deployment_rows
from isla_console.ui.views.drill import drill_rows
from isla_console.ui.views.home import home_rows
from isla_console.ui.views.issue import issue_rows, procedure_rows
from isla_console.ui.views.payments import payment_rows
from isla_console.ui.views.timeline import timeline_rows
from isla_console.ui.views.triage import why_rows

PAGE_COMMANDS = frozenset({"home", "contacts", "timeline", "deployments", "payments", "drill", *WIDGET_PAGES})
"""Commands that open the page with their own id."""


def page_rows(page: str, state: ConsoleState, width: int, last_issue: str | None) -> list[Row]:
    """Return the rows of a page at a width; `last_issue` is the issue that was open last, if any."""
    match RowKey.parse(page if known_page(page, state) else "home"):
        case RowKey("issue", id):
            issue = state.runbook.issue(id)
            return [*why_rows(issue, state, width), *issue_rows(issue, state, width)]
        case RowKey("procedure", id):
            return procedure_rows(state.runbook.procedure(id), state, width)
        case RowKey("contacts"):
            return contact_rows(state, last_issue, width)
        case RowKey("timeline"):
            return timeline_rows(state, width)
        case RowKey("deployments"):
            return deployment_rows(state, width)
        case RowKey("payments"):
            return payment_rows(state, width)
        case RowKey("drill"):
            return drill_rows(state, width)
    return home_rows(state, width)


def page_title(page: str, state: ConsoleState) -> tuple[str, str]:
    """Return the title of the page's frame and the hint at its bottom."""
    match RowKey.parse(page if known_page(page, state) else "home"):
        case RowKey("issue", id):
            issue = state.runbook.issue(id)
            return f"{issue.number} {issue.title}", "enter: do a read   x: do   →: in full   b: back"
        case RowKey("procedure", id):
            procedure = state.runbook.procedure(id)
            title = f"{procedure.number} {procedure.title}"
            return title, "enter: do a read   x: do   →: in full   b: back"
        case RowKey("contacts"):
            return "Contacts", "enter: in full   b: back"
        case RowKey("timeline"):
            return "Timeline", "enter: in full   n: note   b: back"
        case RowKey("drill"):
            return "The drill", "b: back"
        case RowKey("deployments" | "payments" as kind):
            return kind.capitalize(), "enter: in full   b: back"
    return f"{state.runbook.platform} {'drill' if state.drill else 'production'}", ""


def known_page(page: str, state: ConsoleState) -> bool:
    """Return whether the runbook has this page."""
    match RowKey.parse(page):
        case RowKey("issue", id):
            return any(issue.id == id for issue in state.runbook.issues)
        case RowKey("procedure", id):
            return any(procedure.id == id for procedure in state.runbook.procedures)
    return page in PAGE_COMMANDS
