"""The sidebar at the left: every issue, procedure and page, with one key each."""

from __future__ import annotations

from textual.content import Content

from isla_console.incident.rules.cadence import updates
from isla_console.session.state import ConsoleState
from isla_console.text.spans import age
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import MUTED
from isla_console.ui.views.deployments import newest
from isla_console.ui.views.issue import DONE
from isla_console.ui.views.payments import mode
from isla_console.ui.views.triage import mark


def sidebar_rows(state: ConsoleState, width: int) -> list[Row]:
    """Draw a row for each page; its key is the page's id, such as `issue:redirect` or `contacts`."""
    runbook = state.runbook
    rows = [Row(RowKey("home"), _entry("h", "Overview", _open_count(state), width))]
    rows += [Row.text(""), Row.heading("Issues")]
    for issue in runbook.issues:
        rows.append(
            Row(RowKey("issue", issue.id), _entry(str(issue.number), issue.short, mark(issue, state), width))
        )
    rows += [Row.text(""), Row.heading("Procedures")]
    for procedure in runbook.procedures:
        done = _done(state, [step.id for step in procedure.steps])
        rows.append(
            Row(
                RowKey("procedure", procedure.id), _entry(str(procedure.number), procedure.short, done, width)
            )
        )
    rows += [Row.text(""), Row.heading("Incident")]
    events = Content.styled(str(len(state.incident.timeline)) if state.incident else "", MUTED)
    if state.incident is not None:
        rows.append(Row(RowKey("communication"), _entry("c", "Communication", _next_update(state), width)))
    rows.append(Row(RowKey("timeline"), _entry("t", "Timeline", events, width)))
    if state.incident is not None:
        written = (state.incident.postmortem_state or "draft").replace("_", " ")
        rows.append(
            Row(RowKey("postmortem"), _entry("p", "Post-mortem", Content.styled(written, MUTED), width))
        )
    if state.drill:
        rows.append(Row(RowKey("drill"), _entry("B", "Briefing, score", Content(""), width)))
    rows.append(Row(RowKey("contacts"), _entry("o", "Contacts", Content(""), width)))
    rows += [Row.text(""), Row.heading("Look")]
    rows.append(Row(RowKey("sql"), _entry("s", "SQL", Content(""), width)))
    rows.append(Row(RowKey("sessions"), _entry("a", "Sessions", Content(""), width)))
    if runbook.deployments is not None:
        rows.append(Row(RowKey("deployments"), _entry("D", "Deployments", newest(state), width)))
    if any(metric.source.kind == "stripe" for metric in runbook.metrics):
        rows.append(Row(RowKey("payments"), _entry("P", "Payments", mode(state), width)))
    return rows


def _entry(key: str, name: str, right: Content, width: int) -> Content:
    return ends(Content.assemble(" ", (key, "$accent bold"), f" {name}"), Content.assemble(right, " "), width)


def _next_update(state: ConsoleState) -> Content:
    """Say how long until the next update is due; red once it is overdue."""
    if state.incident is None:
        return Content("")
    due = [update.due_at for update in updates(state.incident, state.now) if update.due_at is not None]
    if not due:
        return Content("")
    seconds = (min(due) - state.now).total_seconds()
    late = seconds < 0
    return Content.styled(f"-{age(-seconds)}" if late else age(seconds), "$error bold" if late else MUTED)


def _done(state: ConsoleState, steps: list[str]) -> Content:
    if state.incident is None:
        return Content("")
    known = state.incident.steps
    done = sum(1 for step in steps if step in known and known[step].state == "done")
    if not done:
        return Content("")
    return Content.styled(f"{DONE if done == len(steps) else ''} {done}/{len(steps)}", MUTED)


def _open_count(state: ConsoleState) -> Content:
    waiting = [incident for incident in state.others if incident.is_open]
    return Content.styled(f"{len(waiting)} open", "$warning") if waiting else Content("")
