"""One sheet that asks a few things and hands back the answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

Answers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers: its value, what is written, and a word of help behind it."""

    value: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One question. With `choices` it is a list to pick from, else a line to type.

    `check` gets what was typed and says what is wrong with it ("" when nothing is).
    """

    name: str
    label: str
    default: str = ""
    choices: Sequence[Choice] = ()
    hint: str = ""
    check: Callable[[str], str] = lambda _: ""


def required(what: str) -> Callable[[str], str]:
    """A check for a `Field` that must not stay empty."""
    return lambda typed: "" if typed.strip() else f"{what} is needed"


class AskScreen(ModalScreen[Answers | None]):
    """Shows fields one under the other; Enter goes on, the last Enter submits, Escape leaves.

    `done` may refuse the whole sheet: it gets the answers and says why not ("" lets them pass).
    `advise` writes the lines under the title, anew at every answer.
    """

    BINDINGS = [
        Binding("escape", "leave", "leave it", show=False),
        Binding("tab", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        submit: str = "Enter",
        intro: Sequence[Content | str] = (),
        done: Callable[[Answers], str] = lambda _: "",
        advise: Callable[[Mapping[str, str]], Sequence[Content | str]] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._fields = tuple(fields)
        self._submit = submit
        self._intro = tuple(intro)
        self._done = done
        self._advise = advise
        self._answers: Answers = {field.name: field.default for field in self._fields}
        for field in self._fields:
            if field.choices and not field.default:
                self._answers[field.name] = field.choices[0].value

    def compose(self) -> ComposeResult:
        sheet = Vertical(id="sheet")
        sheet.border_title = Content(self._title)
        sheet.border_subtitle = Content("enter: next   esc: leave it")
        with sheet:
            for line in self._intro:
                yield Static(line if isinstance(line, Content) else Content(line), classes="intro")
            with VerticalScroll(id="fields", can_focus=False):
                for field in self._fields:
                    yield Static(
                        Content.assemble((field.label, "bold"), (f"  {field.hint}", "$muted")),
                        classes="label",
                    )
                    if field.choices:
                        yield _choices(field, self._answers[field.name])
                    else:
                        box = Input(field.default, id=f"field-{field.name}", compact=True)
                        box.cursor_blink = False
                        yield box
            yield Static(id="advice")
            yield Static(id="problem")

    def on_mount(self) -> None:
        first = self._fields[0]
        self.query_one(f"#field-{first.name}").focus()
        self._update_advice()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._keep(event.input.id, event.value)

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        self._keep(event.option_list.id, event.option.id or "")

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _next(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        event.stop()
        widget = event.input if isinstance(event, Input.Submitted) else event.option_list
        name = (widget.id or "").removeprefix("field-")
        index = [field.name for field in self._fields].index(name)
        if self._complain(self._fields[index : index + 1]):
            return
        if index + 1 < len(self._fields):
            self.query_one(f"#field-{self._fields[index + 1].name}").focus()
        elif not self._complain(self._fields):
            if refused := self._done(dict(self._answers)):
                self._say(refused)
            else:
                self.dismiss(dict(self._answers))

    def action_leave(self) -> None:
        self.dismiss(None)

    def _keep(self, widget_id: str | None, value: str) -> None:
        self._answers[(widget_id or "").removeprefix("field-")] = value
        self._update_advice()

    def _complain(self, fields: Sequence[Field]) -> bool:
        """Say the first thing that is wrong and go there; false if nothing is."""
        for field in fields:
            if problem := field.check(self._answers[field.name]):
                self._say(problem)
                self.query_one(f"#field-{field.name}").focus()
                return True
        self._say("")
        return False

    def _say(self, problem: str) -> None:
        self.query_one("#problem", Static).update(
            Content.styled(problem, "$error") if problem else Content("")
        )

    def _update_advice(self) -> None:
        if self._advise is None:
            return
        lines = [
            line if isinstance(line, Content) else Content(line) for line in self._advise(dict(self._answers))
        ]
        self.query_one("#advice", Static).update(Content("\n").join(lines))


def _choices(field: Field, value: str) -> OptionList:
    width = max(len(choice.label) for choice in field.choices)
    options = [
        Option(
            Content.assemble(
                (choice.label.ljust(width), "bold"), (f"  {choice.help}" if choice.help else "", "$muted")
            ),
            id=choice.value,
        )
        for choice in field.choices
    ]
    found = OptionList(*options, id=f"field-{field.name}", compact=True, markup=False)
    values = [choice.value for choice in field.choices]
    found.highlighted = values.index(value) if value in values else 0
    return found
