"""The sheet that asks a few questions and hands back the answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from isla_console.ui.widgets.focus import KeepsFocus

Answers = dict[str, str]

CHOSEN = "▸"
"""The mark before the chosen answer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers: its value, its label, and a word of help after that."""

    value: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One question. With `choices` it is a list to pick from, otherwise a line to type.

    `check` gets what was typed and returns what is wrong with it ("" for nothing).
    """

    name: str
    label: str
    default: str = ""
    choices: Sequence[Choice] = ()
    hint: str = ""
    check: Callable[[str], str] = lambda _: ""
    secret: bool = False
    """Whether typing is masked."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a sheet is refused, and the field to mend, "" where it is none of them."""

    text: str
    field: str = ""


Judge = Callable[[Answers], Problem | None]
"""Looks at a whole sheet's answers and says what is wrong with them; None for nothing."""


def required(what: str) -> Callable[[str], str]:
    """Return a check for a `Field` that must not stay empty."""
    return lambda typed: "" if typed.strip() else f"{what} is needed"


class AskScreen(ModalScreen[Answers | None], KeepsFocus[Answers | None]):
    """Shows fields one below the other; Enter goes on, the last Enter or F2 hands in, Escape leaves.

    What is refused stays open with everything that was typed, and the cursor goes to what is missing: a
    sheet that closed first would let the rest of what a person types run as commands. So whoever carries out
    the answers judges them here, before the sheet closes: `done` is the sheet's own judge, `judge` that of
    whoever opened it. `advise` makes the lines under the title, again at every answer.
    """

    # Textual sends a key to the focused widget first and runs its binding when it has come back up, by when
    # a later key may have moved the focus. On a sheet that is never right: with priority, each key acts where
    # it was pressed and in turn, however fast a slow line delivers them.
    BINDINGS = [
        Binding("escape", "leave", "leave it", show=False),
        Binding("enter", "next", "next", show=False, priority=True),
        Binding("f2", "done", "done", show=False, priority=True),
        Binding("tab", "turn(1)", show=False, priority=True),
        Binding("shift+tab", "turn(-1)", show=False, priority=True),
        *(
            Binding(key, f"press('{in_list}', '{in_line}')", show=False, priority=True)
            for key, in_list, in_line in (
                ("up", "cursor_up", ""),
                ("down", "cursor_down", ""),
                ("home", "first", "home"),
                ("end", "last", "end"),
                ("pageup", "page_up", ""),
                ("pagedown", "page_down", ""),
                ("left", "", "cursor_left"),
                ("right", "", "cursor_right"),
                ("backspace", "", "delete_left"),
                ("delete", "", "delete_right"),
                ("ctrl+u", "", "delete_left_all"),
                ("ctrl+w", "", "delete_left_word"),
                ("ctrl+k", "", "delete_right_all"),
            )
        ),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        intro: Sequence[Content | str] = (),
        done: Judge = lambda _: None,
        advise: Callable[[Mapping[str, str]], Sequence[Content | str]] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._fields = tuple(fields)
        self._intro = tuple(intro)
        self._done = done
        self.judge: Judge = lambda _: None
        self._advise = advise
        self._problem: Problem | None = None
        self._marked: dict[str, int | None] = {}
        self._is_shown = asyncio.Event()

    def again(self, answers: Answers, problem: Problem) -> AskScreen:
        """Return the sheet as it was answered, refused for a problem that came up after it closed."""
        fields = [replace(field, default=answers.get(field.name, field.default)) for field in self._fields]
        sheet = AskScreen(self._title, fields, intro=self._intro, done=self._done, advise=self._advise)
        sheet._problem = problem
        return sheet

    def compose(self) -> ComposeResult:
        sheet = Vertical(id="sheet")
        sheet.border_title = Content(self._title)
        sheet.border_subtitle = Content("enter: next   f2: done   esc: leave it")
        with sheet:
            for line in self._intro:
                yield Static(line if isinstance(line, Content) else Content(line), classes="intro")
            # Above the fields, where they stay visible however low the screen is.
            yield Static(id="advice", classes="-empty")
            yield Static(id="problem", classes="-empty")
            with VerticalScroll(id="fields", can_focus=False):
                for field in self._fields:
                    yield Static(
                        Content.assemble((field.label, "bold"), (f"  {field.hint}", "$muted")),
                        classes="label",
                    )
                    if field.choices:
                        yield _choices(field)
                    else:
                        box = Input(
                            field.default, id=f"field-{field.name}", compact=True, password=field.secret
                        )
                        box.cursor_blink = False
                        yield box

    def on_mount(self) -> None:
        # A fast key may have moved the focus already.
        if self.focused is None:
            self._go_to(0)
        self._update_advice()
        if self._problem is not None:
            self._refuse(self._problem)
        self._is_shown.set()

    @on(OptionList.OptionHighlighted)
    def _mark(self, event: OptionList.OptionHighlighted) -> None:
        """Move the mark to the list's cursor."""
        found = event.option_list
        field = next(field for field in self._fields if f"field-{field.name}" == found.id)
        before = self._marked.get(field.name)
        self._marked[field.name] = found.highlighted
        for index in range(found.option_count) if before is None else (before, found.highlighted):
            if index is not None:
                line = _line(field, index, index == found.highlighted)
                found.replace_option_prompt_at_index(index, line)

    @on(Input.Changed)
    @on(OptionList.OptionHighlighted)
    def _answered(self) -> None:
        # A key typed ahead may still arrive while the sheet closes.
        if self.is_current and self.is_attached:
            self._update_advice()

    async def action_next(self) -> None:
        """Go to the next field, or hand in the sheet from the last one."""
        if not await self._ready():
            return
        index = self._index()
        if self._complain(self._fields[index : index + 1]):
            return
        if index + 1 < len(self._fields):
            self._go_to(index + 1)
        else:
            self._hand_in()

    async def action_done(self) -> None:
        """Hand in the sheet from any field, with the other fields as they are."""
        if not await self._ready():
            return
        self._hand_in()

    async def action_turn(self, by: int) -> None:
        """Go to the next or previous field, from the last to the first."""
        if not await self._ready():
            return
        self._go_to((self._index() + by) % len(self._fields))

    async def action_press(self, in_list: str, in_line: str) -> None:
        """Let the focused field do a key that moves or edits; up and down leave a line."""
        if not await self._ready():
            return
        field = self.focused
        name = in_list if isinstance(field, OptionList) else in_line
        if name and field is not None:
            getattr(field, f"action_{name}")()
        elif in_list in {"cursor_up", "cursor_down"}:
            self._go_to((self._index() + (1 if in_list == "cursor_down" else -1)) % len(self._fields))

    def action_leave(self) -> None:
        self.dismiss(None)

    @property
    def answers(self) -> Answers:
        """The current answers of the fields."""
        return {field.name: self._answer(field) for field in self._fields}

    def _answer(self, field: Field) -> str:
        widget = self.query_one(f"#field-{field.name}")
        if isinstance(widget, OptionList):
            option = widget.highlighted_option
            return (option.id or "") if option is not None else ""
        assert isinstance(widget, Input)
        return widget.value

    async def _ready(self) -> bool:
        """Wait until the sheet is ready, and its field has taken in every key pressed before this one.

        Returns False if it is not: a key typed ahead came too early, or while the sheet closes.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._is_shown.wait()
                if self.focused is None:  # its field was out of sight for a while
                    self._go_to(0)
                if self.focused is not None:
                    taken_in = asyncio.Event()
                    self.focused.call_later(taken_in.set)
                    await taken_in.wait()
        return self._is_shown.is_set() and self.is_current

    def _hand_in(self) -> None:
        if self._complain(self._fields):
            return
        answers = self.answers
        if (problem := self._done(answers) or self.judge(answers)) is not None:
            self._refuse(problem)
        else:
            self.dismiss(answers)

    def _refuse(self, problem: Problem) -> None:
        """Say what is wrong, and put the cursor on what it is about."""
        self._say(problem.text)
        names = [field.name for field in self._fields]
        if problem.field in names:
            self._go_to(names.index(problem.field))

    def _index(self) -> int:
        id = (self.focused.id or "") if self.focused is not None else ""
        names = [f"field-{field.name}" for field in self._fields]
        return names.index(id) if id in names else 0

    def _go_to(self, index: int) -> None:
        self.set_focus(self.query_one(f"#field-{self._fields[index].name}"))

    def _complain(self, fields: Sequence[Field]) -> bool:
        """Say the first thing that is wrong and go there; return False if nothing is wrong."""
        for field in fields:
            if problem := field.check(self._answer(field)):
                self._say(problem)
                self._go_to(self._fields.index(field))
                return True
        self._say("")
        return False

    def _say(self, problem: str) -> None:
        line = self.query_one("#problem", Static)
        line.set_class(not problem, "-empty")
        line.update(Content.styled(problem, "$error") if problem else Content(""))

    def _update_advice(self) -> None:
        if self._advise is None:
            return
        lines = [line if isinstance(line, Content) else Content(line) for line in self._advise(self.answers)]
        advice = self.query_one("#advice", Static)
        advice.set_class(not lines, "-empty")
        advice.update(Content("\n").join(lines))


def _choices(field: Field) -> OptionList:
    values = [choice.value for choice in field.choices]
    chosen = values.index(field.default) if field.default in values else 0
    options = [Option(_line(field, index, index == chosen), id=value) for index, value in enumerate(values)]
    found = OptionList(*options, id=f"field-{field.name}", compact=True, markup=False)
    found.highlighted = chosen
    return found


def _line(field: Field, index: int, chosen: bool) -> Content:
    """Return a choice as it is written, the chosen one with a mark.

    The answer must be visible in lists without the focus too, even where 256 colours make their shade that of
    the background.
    """
    choice = field.choices[index]
    width = max(len(other.label) for other in field.choices)
    help = (f"  {choice.help}", "$muted") if choice.help else ""
    return Content.assemble(
        (f"{CHOSEN if chosen else ' '} ", "$accent"), (choice.label.ljust(width), "bold"), help
    )
