"""The page of an issue or a procedure: what to look for, what to do, what is left to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from textual.content import Content

from isla_console.runbook.model import Issue, Procedure, Step, Symptom
from isla_console.session.state import ConsoleState
from isla_console.text.times import clock_text
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import MUTED, STYLES
from isla_console.ui.views.marks import MARKS, step_state
from isla_console.ui.views.runs import ran_before, result_word, run_rows

DONE, OPEN, SKIPPED, ABSENT = "✓", "○", "–", "·"
"""The marks of symptoms, items to tick and follow-ups; those of steps are in `marks`."""
CHANGED = "≠"
"""Marks a step whose command is not the original runbook's."""
WIDE = 76
"""Cells from which on a page has room to show, under each step, what was changed."""
_VARIABLE = re.compile(r"\$\{(\w+)\}")
EFFECTS = {
    "read": Content(""),
    "stream": Content.styled("stream", MUTED),
    "write": Content.styled("▲ write", STYLES["elevated"]),
    "destroy": Content.styled("◆ destroy", STYLES["alert"]),
}


def issue_rows(issue: Issue, state: ConsoleState, width: int) -> list[Row]:
    """Draw symptoms, diagnosis, resolutions by cause, follow-up, and links to other issues."""
    rows = [Row.heading("Symptoms")]
    rows += [_symptom(symptom, issue, state, width) for symptom in issue.symptoms]
    if issue.diagnosis:
        rows.append(Row.heading("Diagnosis"))
        for step in issue.diagnosis:
            rows += step_rows(step, state, width)
    if issue.resolutions:
        rows.append(Row.heading("Resolution · choose a cause"))
        for resolution in issue.resolutions:
            rows.append(Row.text(Content.assemble(" ", (resolution.cause, "bold"))))
            if resolution.text:
                rows += _detail(resolution.text, width, "   ")
            for step in resolution.steps:
                rows += step_rows(step, state, width, indent="   ")
    if issue.follow_up:
        rows.append(Row.heading("Follow-up"))
        rows += [
            Row(
                RowKey("follow", f"{issue.id}/{item.id}"), _line(OPEN, Content(item.text), Content(""), width)
            )
            for item in issue.follow_up
        ]
    if issue.see_also:
        rows.append(Row.heading("See also"))
        for other in issue.see_also:
            rows.append(Row(RowKey("goto", other), _goto(other, state)))
    return rows


def procedure_rows(procedure: Procedure, state: ConsoleState, width: int) -> list[Row]:
    """Draw the steps in order, numbered."""
    rows: list[Row] = []
    if procedure.text:
        rows += [*_detail(procedure.text, width, " "), Row.text("")]
    for number, step in enumerate(procedure.steps, 1):
        rows += step_rows(step, state, width, label=f"{number} ")
    return rows


def step_rows(
    step: Step, state: ConsoleState, width: int, *, indent: str = " ", label: str = ""
) -> Iterator[Row]:
    """Draw a step's line to choose and, where there is room, what was changed or why it is blocked."""
    view = state.runs.get(step.id)
    how = step_state(step, state)
    mark = MARKS[how]
    title = Content.assemble(label, step.title)
    room = max(20, min(34, width * 2 // 5))
    what = Content.styled(what_runs(step, state), MUTED)
    left = Content.assemble(title.truncate(room, ellipsis=True, pad=True), " ", what)
    right = Content.styled(mark.word, MUTED) if how in {"blocked", "skipped"} else EFFECTS[step.effect]
    if view is not None:
        right = result_word(view, state)
    elif (ran := ran_before(state, step.id)) is not None:
        right = Content.assemble(right, "  " if right else "", ran)
    wide = width >= WIDE
    if step.source and not wide:
        right = Content.assemble(right, "  " if right else "", (CHANGED, "$accent"))
    yield Row(RowKey("step", step.id), _line(mark.content, left, right, width, indent))
    inner = indent + "    "
    if view is not None:
        yield from run_rows(view, state, width, inner if wide else indent + "  ")
        return
    if not wide:
        return
    if step.blocked:
        yield from _detail(f"blocked: {step.blocked}", width, inner, lines=1)
    elif step.source:
        source = " ".join(step.source.split())
        because = f" · changed because {step.because}" if step.because else ""
        yield from _detail(f"{CHANGED} source: {source}{because}", width, inner, lines=1)


def what_runs(step: Step, state: ConsoleState) -> str:
    """Return what a step does in one line: its request, command, statement or page."""
    if step.http is not None:
        return f"{step.http.method} {shown_url(step.http.url)}"
    if step.kind == "goto" and step.issue:
        return f"→ {state.runbook.issue(step.issue).title}"
    if step.kind == "open":
        return step.url or ""
    if step.kind == "manual":
        return " ".join((step.text or "").split())
    return " ".join((step.run or "").split())


def shown_url(url: str) -> str:
    """Return a URL with its inputs as `$NAME`, the way a shell would write them."""
    return _VARIABLE.sub(r"$\1", url)


def step_lines(step: Step, state: ConsoleState) -> list[Content]:
    """Draw a step in full: what runs, what the original says, why it differs, what to expect."""

    def part(name: str, text: str | None, style: str = "") -> list[Content]:
        if not text:
            return []
        body = [Content.styled(f"  {line}", style) for line in text.rstrip().splitlines()]
        return [Content.styled(name, "$accent bold"), *body, Content("")]

    http = step.http
    request = ""
    if http is not None:
        request = "\n".join(
            [
                f"{http.method} {http.url}",
                *(f"  ?{name}={value}" for name, value in http.query.items()),
                *(f"{name}: {value}" for name, value in http.headers.items()),
                *([str(http.body)] if http.body is not None else []),
                *(f"{name}={value}" for name, value in (http.form or {}).items()),
            ]
        )
    effect = "" if step.effect == "read" else step.effect
    return [
        *part("Effect", effect, STYLES["alert"] if effect == "destroy" else STYLES["elevated"]),
        *part("Blocked", step.blocked, STYLES["elevated"]),
        *part("Instead", step.instead),
        *part("What to do", step.text),
        *part("Runs", request or step.run or step.url or ""),
        *part("Bound to", ", ".join(f"${i} = {name}" for i, name in enumerate(step.params, 1))),
        *part("The vendor's command line, to copy", step.cli),
        *part("The original runbook says", step.source),
        *part("Changed because", step.because),
        *part("Undo", step.undo),
        *part("Look first at", state.runbook.step(step.preview).title if step.preview else ""),
    ]


def _symptom(symptom: Symptom, issue: Issue, state: ConsoleState, width: int) -> Row:
    """Draw a symptom: measured now, seen or denied by a person, or still open."""
    key = RowKey("symptom", f"{issue.id}/{symptom.id}")
    measured = _measured(symptom, state)
    stated = state.incident.symptoms.get(f"{issue.id}/{symptom.id}") if state.incident else None
    if measured is not None:
        return Row(key, _line(DONE, Content.styled(symptom.text, "bold"), measured, width))
    if stated is not None:
        seen = stated.seen
        at = clock_text(stated.at, state.now, seconds=True)
        word = Content.styled(f"{'seen' if seen else 'not seen'} {at} {stated.actor}", MUTED)
        return Row(key, _line(DONE if seen else SKIPPED, Content(symptom.text), word, width))
    hint = Content.styled("space: seen  -: not seen" if state.incident else "", MUTED)
    return Row(key, _line(ABSENT, Content(symptom.text), hint, width))


def _measured(symptom: Symptom, state: ConsoleState) -> Content | None:
    """Say what a probe or metric tells of the symptom now; None if it does not hold or is not known."""
    if state.snapshot is None:
        return None
    if symptom.metric and (reading := state.reading(symptom.metric)) is not None:
        if reading.value is None or reading.state in {"stale", "unknown", "blind"}:
            return None
        holds = symptom.beyond.holds(reading.value) if symptom.beyond else reading.state == "alert"
        if holds and reading.sampled_at is not None:
            return Content.styled(
                f"measured {reading.text} {clock_text(reading.sampled_at, state.now, seconds=True)}",
                STYLES["alert"],
            )
    for probe in state.snapshot.probes:
        if probe.id == symptom.probe and probe.state == "alert" and probe.sample is not None:
            return Content.styled(
                f"measured: {probe.sample.reason} {clock_text(probe.sample.at, state.now, seconds=True)}",
                STYLES["alert"],
            )
    return None


def _goto(issue_id: str, state: ConsoleState) -> Content:
    issue = state.runbook.issue(issue_id)
    return Content.assemble(" → ", (f"{issue.number} ", "$accent bold"), issue.title)


def _line(mark: str | Content, left: Content, right: Content, width: int, indent: str = " ") -> Content:
    if isinstance(mark, str):
        mark = Content.styled(mark, "$success" if mark == DONE else MUTED)
    return ends(Content.assemble(indent, mark, " ", left), right, width)


def _detail(text: str, width: int, indent: str, lines: int = 4) -> Iterable[Row]:
    """Draw muted lines under a row, wrapped, the last one cut with `…`."""
    room = max(10, width - len(indent))
    wrapped = Content.styled(" ".join(text.split()), MUTED).wrap(room)
    kept = wrapped[:lines]
    if len(wrapped) > lines:
        kept[-1] = Content.assemble(kept[-1], (" …", MUTED)).truncate(room, ellipsis=True)
    return [Row.text(Content.assemble(indent, line)) for line in kept]
