"""The sheets of doing a step: its inputs, its guard, its refusal; and a change of what production serves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from textual.content import Content

from isla_console.runbook.steps import HttpCall, Input, Step
from isla_console.session.state import ConsoleState
from isla_console.session.steps import StepServices, is_rollback
from isla_console.steps import backup, rollback
from isla_console.steps.environment import libpq
from isla_console.steps.guard import Judgement
from isla_console.steps.inputs import is_secret, problem, typed
from isla_console.steps.outcome import Outcome
from isla_console.steps.rows import Row, cell
from isla_console.text.plain import plain
from isla_console.text.spans import age
from isla_console.text.times import clock_text
from isla_console.ui.sheets.ask import AskScreen, Choice, Field
from isla_console.ui.sheets.guard import Asked
from isla_console.ui.theme import MUTED
from isla_console.ui.views.issue import EFFECTS
from isla_console.ui.views.runs import table_lines
from isla_console.vendors.vercel import Deployment

__all__ = ["guard", "inputs_sheet", "is_rollback", "manual_sheet", "promotion_watch", "refused_lines"]

LABEL = 18
PREVIEW_ROWS = 6


def refused_lines(step: Step, judgement: Judgement) -> list[Content]:
    """Why a step is not run, and the line to copy where there is one."""
    lines = [Content.styled(judgement.refused, "$warning")]
    if judgement.reasons:
        lines += [Content(""), Content.styled("Seen in it: " + "; ".join(judgement.reasons), MUTED)]
    if step.cli:
        lines += [
            Content(""),
            Content.styled("The vendor's command line; y on the step copies it:", MUTED),
            Content(step.cli),
        ]
    return lines


def manual_sheet(step: Step) -> AskScreen:
    """What came of a person's work."""
    return AskScreen(
        step.title,
        [Field("result", "Result", hint="one line, may stay empty")],
        intro=[Content.styled(step.text or "", MUTED)],
    )


@dataclass(frozen=True, slots=True)
class InputsSheet:
    """The sheet, and what its answers are remembered as."""

    screen: AskScreen
    fields: Mapping[str, tuple[Input, ...]]
    picks: Mapping[str, tuple[Row, ...]]
    tools: StepServices

    def remember(self, answers: Mapping[str, str], now: datetime) -> None:
        """Keep the answers for this incident."""
        for name, items in self.fields.items():
            rows = self.picks.get(name)
            for item in items:
                if rows is not None and item.pick is not None:
                    text = str(rows[int(answers[name])][item.pick.column])
                    self.tools.inputs.remember(item.name, text, f"picked from {item.pick.step}")
                else:
                    self.tools.inputs.remember(item.name, typed(item, answers[name], now), "typed")


def inputs_sheet(step: Step, wanted: Sequence[Input], tools: StepServices, now: datetime) -> InputsSheet:
    """One field an input; inputs that are columns of one step's rows are picked together, as a row."""
    fields: list[Field] = []
    meant: dict[str, tuple[Input, ...]] = {}
    picks: dict[str, tuple[Row, ...]] = {}
    for item in wanted:
        if any(item in items for items in meant.values()):
            continue
        together = _picked_with(item, wanted, tools)
        if item.pick is not None and together:
            rows = tuple(
                row
                for row in tools.rows(item.pick.step)
                if all(row.get(one.pick.column) is not None for one in together if one.pick is not None)
            )
            meant[item.name], picks[item.name] = together, rows
            fields.append(_row_field(item, rows, tools, now))
        else:
            meant[item.name] = (item,)
            fields.append(_typed_field(item, tools, now))
    intro = [Content.styled(f"“{step.title}” needs to know:", MUTED)]
    return InputsSheet(AskScreen("Values", fields, intro=intro), meant, picks, tools)


def _picked_with(item: Input, wanted: Sequence[Input], tools: StepServices) -> tuple[Input, ...]:
    """The wanted inputs that the same step's rows have; none where it has no rows to pick from."""
    if item.pick is None or not tools.choices(item):
        return ()
    step = item.pick.step
    return tuple(
        one for one in wanted if one.pick is not None and one.pick.step == step and tools.choices(one)
    )


def _row_field(item: Input, rows: tuple[Row, ...], tools: StepServices, now: datetime) -> Field:
    assert item.pick is not None
    column = item.pick.column
    known = tools.inputs.find(item.name, now)
    choices = []
    default = "0"
    for index, row in enumerate(rows):
        value = cell(row.get(column))
        if known is not None and not is_secret(item) and known.shown == value:
            default = str(index)
        others = {name: one for name, one in row.items() if name != column and one is not None}
        line = table_lines([others], 70, now, most=1, widest=26)
        choices.append(Choice(str(index), plain(value), line[-1].plain.rstrip() if others else ""))
    return Field(item.name, item.title, default, choices, hint="pick one")


def _typed_field(item: Input, tools: StepServices, now: datetime) -> Field:
    known = tools.inputs.find(item.name, now)
    hints = [
        f"from {known.origin}" if known is not None else "",
        f"for example {item.example}" if item.example else "",
        f"or set {item.env}" if item.env else "",
    ]
    secret = is_secret(item)
    return Field(
        item.name,
        item.title,
        "" if known is None or secret else known.shown,
        hint=", ".join(hint for hint in hints if hint),
        check=lambda text: problem(item, typed(item, text, now)),
        secret=secret,
    )


async def guard(
    step: Step,
    judgement: Judgement,
    tools: StepServices,
    state: ConsoleState,
    preview: Outcome | None,
    *,
    width: int,
) -> tuple[Asked | None, str]:
    """What the guard asks, its lines at most `width` cells, or why the step must not go on after all."""
    now = state.now
    values = tools.inputs.values(step, now)
    lines: list[Content] = []
    question, wanted, others = _object(step, tools, values, now)
    if is_rollback(step) or rollback.promoted(step):
        found = await _sides(step, tools, values, preview, now, width)
        if isinstance(found, str):
            return None, found
        lines += [*found, Content("")]
    elif preview is not None and step.preview:
        lines += _preview(state.runbook.step(step.preview).title, preview, now, width)
    look = await _before(step, tools, values)
    if look.refused:
        return None, "; ".join([*look.lines, look.refused])
    lines += [Content(plain(line)) for line in look.lines]
    if look.lines:
        lines.append(Content(""))
    lines += _fact("What it changes", step.text, width)
    lines += _fact("Undo", _undo(step, tools), width)
    lines += _fact("Sends" if step.kind == "http" else "Runs", tools.runner.shown(step, now), width)
    lines += _fact("Raised because", "; ".join(judgement.reasons), width)
    incident = state.incident
    who = f"{state.actor} · {incident.severity} · journalled" if incident else f"{state.actor} · no incident"
    return Asked(
        step.title,
        EFFECTS[judgement.effect],
        lines,
        question,
        wanted,
        others,
        who,
        with_reason=incident is not None,
    ), ""


def _object(
    step: Step, tools: StepServices, values: Mapping[str, str], now: datetime
) -> tuple[str, str, Sequence[str]]:
    """The question, the object to type, and what it must not be mistaken for."""
    if back_to := rollback.promoted(step):
        return "Type it. Deployment to promote:", back_to, (_chosen(step, tools, now),)
    used = [item for item in tools.inputs.of(step) if item.name in values and not is_secret(item)]
    picked = next((item for item in used if item.pick is not None), None)
    if step.connect and backup.kind_of(step) == "restore" and step.connect in values:
        database = libpq(values[step.connect]).get("PGDATABASE", "")
        if database:
            return "Type the database to restore into:", database, ()
    if picked is not None:
        return f"Type it. {picked.title}:", values[picked.name], tools.choices(picked)
    asked = next((item for item in used if item.env is None), None)
    if asked is not None:
        return f"Type it. {asked.title}:", values[asked.name], ()
    return f"Type the step's name, {step.id}:", step.id, ()


def _original(step: Step, tools: StepServices) -> Step:
    """The step that an undo takes back; any other is its own."""
    return tools.step(step.id.removesuffix(".undo")) if step.id.endswith(".undo") else step


def _chosen(step: Step, tools: StepServices, now: datetime) -> str:
    """The deployment that a rollback went to, which its undo must not be mistaken for."""
    original = _original(step, tools)
    return tools.inputs.values(original, now).get(rollback.target_input(original), "")


async def _sides(
    step: Step,
    tools: StepServices,
    values: Mapping[str, str],
    preview: Outcome | None,
    now: datetime,
    width: int,
) -> list[Content] | str:
    """What serves now and what would, side by side."""
    back_to = rollback.promoted(step)
    original = _original(step, tools)
    target = back_to or values[rollback.target_input(step)]
    rows = tools.rows(original.preview or "") if preview is None else preview.rows or ()
    known = rollback.deployments(rows)
    to = next((one for one in known if one.id == target), Deployment(target) if back_to else None)
    if to is None:
        return f"{target} is none of the deployments that production can go back to"
    call = rollback.project_call(original)
    serving = await rollback.ask(call, tools.inputs.values(original, now), trust_env=not tools.settings.drill)
    if isinstance(serving, str):
        return f"what production serves now is not known: {tools.redactor.text(serving)}"
    current = serving.current
    if current is not None and current.id == target:
        return f"{target} serves production already: going back to it changes nothing"
    if serving.change.status in {"pending", "in-progress"}:
        return f"another change is under way: {serving.change.type} to {serving.change.to}"
    if not back_to:
        tools.serving[step.id] = current.id if current is not None else ""
    return [_side("from", current, now, width), _side("to", to, now, width)]


def _side(name: str, one: Deployment | None, now: datetime, width: int) -> Content:
    if one is None:
        return Content.assemble((name.ljust(7), MUTED), "nothing that the API names")
    made = f"{clock_text(one.created_at, now)}, {age(now - one.created_at)}" if one.created_at else ""
    text = f"{one.id[:16]:<18}made {made:<16}  {one.commit[:7]:<9}{one.author:<6}{one.message}"
    return Content.assemble((name.ljust(7), MUTED), (plain(text), "bold" if name == "to" else "")).truncate(
        width, ellipsis=True
    )


def _preview(title: str, outcome: Outcome, now: datetime, width: int) -> list[Content]:
    """The read-only twin's answer now."""
    head = Content.assemble((f"{title}: ", MUTED), (plain(outcome.result), "bold"))
    rows = table_lines(outcome.rows, width, now, most=PREVIEW_ROWS) if outcome.rows else []
    return [head, *rows, Content("")]


async def _before(step: Step, tools: StepServices, values: Mapping[str, str]) -> backup.Look:
    """What a backup or a restore is held up by."""
    kind = backup.kind_of(step)
    file = backup.file_of(values)
    dsn = values.get(step.connect or "", "")
    if not kind or not file or not dsn:
        return backup.Look()
    if kind == "backup":
        return await backup.before_backup(dsn, file)
    production = tools.settings.secret("ISLA_DATABASE_URL")
    return await backup.before_restore(dsn, production.reveal() if production else "", file)


def _undo(step: Step, tools: StepServices) -> str:
    before = tools.serving.get(step.id)
    return f"promote {before}" if is_rollback(step) and before else step.undo or "none is known"


def _fact(name: str, text: str | None, width: int) -> list[Content]:
    """A name and its text, wrapped beside it."""
    if not text:
        return []
    wrapped: list[Content] = []
    for paragraph in text.splitlines():
        wrapped += Content(plain(paragraph)).wrap(width - LABEL)
    return [
        Content.assemble((name.ljust(LABEL) if index == 0 else " " * LABEL, MUTED), line)
        for index, line in enumerate(wrapped)
    ]


@dataclass(frozen=True, slots=True)
class PromotionWatch:
    """A change of what production serves that was begun: how to watch it and how to take it back."""

    step: Step
    call: HttpCall
    values: Mapping[str, str]
    target: str
    before: str
    origin: str
    """The rollback step's id, also for its undo."""
    is_undo: bool
    trust_env: bool

    async def follow(self, tell: Callable[[str], None]) -> str:
        """Watch it to its end; "" when production serves the target."""
        return await rollback.follow(self.call, self.values, self.target, tell, trust_env=self.trust_env)

    def undo(self) -> Step:
        return rollback.undo_step(self.step, self.before)

    def follow_ups(self) -> tuple[tuple[str, str], ...]:
        return rollback.follow_ups(self.target, self.before)


def promotion_watch(step: Step, tools: StepServices, now: datetime) -> PromotionWatch:
    """The change that a rollback step, or its undo, began."""
    origin = step.id.removesuffix(".undo")
    is_undo = origin != step.id
    original = tools.step(origin) if is_undo else step
    values = tools.inputs.values(original, now)
    chosen = values[rollback.target_input(original)]
    before = tools.serving.get(origin, "")
    return PromotionWatch(
        step=original,
        call=rollback.project_call(original),
        values=values,
        target=before if is_undo else chosen,
        before=before,
        origin=origin,
        is_undo=is_undo,
        trust_env=not tools.settings.drill,
    )
