"""A sheet takes keys in the order they were pressed, however fast they come."""

from textual.app import App
from textual.widgets import OptionList

from isla_console.ui.sheets.ask import CHOSEN, Answers, AskScreen, Choice, Field, Problem, required


def sheet() -> AskScreen:
    return AskScreen(
        "Test",
        [
            Field("one", "One", "b", [Choice("a", "A"), Choice("b", "B"), Choice("c", "C")]),
            Field("two", "Two", "c", [Choice("a", "A"), Choice("b", "B"), Choice("c", "C")]),
            Field("text", "Text", check=required("some text")),
        ],
        done=lambda answers: Problem("not this", "one") if answers["text"] == "bad" else None,
    )


async def answer(*keys: str) -> tuple[Answers | None, str]:
    """Press keys in one burst; the answers, and the complaint on the sheet if it is still there."""
    app: App[None] = App()
    got: list[Answers | None] = []
    async with app.run_test() as pilot:
        await app.push_screen(sheet(), got.append)
        await pilot.press(*keys)
        await pilot.pause()
        complaint = "" if got else str(app.screen.query_one("#problem").render())
    return (got[0] if got else None), complaint


async def test_burst_lands_in_order() -> None:
    answers, _ = await answer("enter", "home", "enter", *"xx", "ctrl+u", *"helloo", "backspace", "enter")
    assert answers == {"one": "b", "two": "a", "text": "hello"}


async def test_tab_turns_round() -> None:
    answers, _ = await answer("tab", "tab", *"x", "tab", "down", "shift+tab", "enter")
    assert answers == {"one": "c", "two": "c", "text": "x"}


async def test_needed_field_complains() -> None:
    answers, complaint = await answer("enter", "enter", "enter")
    assert answers is None
    assert "some text" in complaint


async def test_whole_sheet_may_be_refused() -> None:
    answers, complaint = await answer("enter", "enter", *"bad", "enter")
    assert answers is None
    assert "not this" in complaint


async def test_what_is_refused_stays_as_it_was_typed_with_the_cursor_on_what_is_wrong() -> None:
    app: App[None] = App()
    got: list[Answers | None] = []
    async with app.run_test() as pilot:
        asked = sheet()
        asked.judge = lambda answers: Problem("not that", "text") if answers["text"] == "no" else None
        await app.push_screen(asked, got.append)
        await pilot.press("enter", "enter", *"bad", "f2")
        await pilot.pause()
        assert (got, app.screen.focused and app.screen.focused.id) == ([], "field-one")
        await pilot.press("enter", "enter", "ctrl+u", *"no", "f2", *"ne")
        await pilot.pause()
        assert (got, asked.answers["text"], app.screen.focused and app.screen.focused.id) == (
            [],
            "none",
            "field-text",
        )
        again = asked.again(asked.answers, Problem("once more", "two"))
        await app.push_screen(again, got.append)
        await pilot.pause()
        assert str(app.screen.query_one("#problem").render()) == "once more"
        assert app.screen.focused is not None
        assert app.screen.focused.id == "field-two"
        await pilot.press("f2")
        await pilot.pause()
    assert got == [{"one": "b", "two": "c", "text": "none"}]


async def test_escape_leaves() -> None:
    assert await answer("enter", "escape") == (None, "")


async def test_keys_before_the_sheet_stands_wait_for_it() -> None:
    """A key typed ahead reaches a sheet that is pushed but not composed yet, and is done when it is."""
    app: App[None] = App()
    got: list[Answers | None] = []
    async with app.run_test() as pilot:
        early = AskScreen("Early", [Field("one", "One", "b", [Choice("a", "A"), Choice("b", "B")])])
        app.push_screen(early, got.append)
        await early.action_done()
        await early.action_done()  # a second one finds the sheet on its way out
        await pilot.pause()
    assert got == [{"one": "b"}]


async def test_each_answer_is_marked_by_more_than_colour() -> None:
    """Also of the lists without the focus: in 256 colours their shade is the background's."""
    app: App[None] = App()
    async with app.run_test() as pilot:
        await app.push_screen(sheet())
        await pilot.press("down", "enter", "up")
        await pilot.pause()
        assert marked(app) == ["C", "B"]
        await pilot.press("home", "end", "tab")
        await pilot.pause()
        assert marked(app) == ["C", "C"]


def marked(app: App[None]) -> list[str]:
    """The choices that wear the mark, list by list."""
    prompts = [str(option.prompt) for found in app.screen.query(OptionList) for option in found.options]
    return [prompt.removeprefix(CHOSEN).strip() for prompt in prompts if prompt.startswith(CHOSEN)]
