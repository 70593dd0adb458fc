"""A key always has a widget to go to, whatever the mouse and the terminal's window do."""

import inspect
import pkgutil
from importlib import import_module

import pytest
from textual.app import App
from textual.events import AppBlur
from textual.screen import Screen
from textual.widgets import Input

import isla_console.ui
from isla_console.ui.sheets.ask import AskScreen, Field
from isla_console.ui.terminal.screen import LeanScreen
from isla_console.ui.widgets.focus import KeepsFocus


def test_every_screen_keeps_its_focus() -> None:
    names = [one.name for one in pkgutil.walk_packages(isla_console.ui.__path__, "isla_console.ui.")]
    screens = {
        found
        for name in names
        for _, found in inspect.getmembers(import_module(name), inspect.isclass)
        if issubclass(found, Screen) and found.__module__ == name
    } - {KeepsFocus, LeanScreen}
    assert len(screens) > 5
    assert [one.__name__ for one in screens if not issubclass(one, KeepsFocus)] == []


@pytest.mark.parametrize("how", ["click beside", "window behind", "out of sight"])
async def test_keys_go_on_in_the_field(how: str) -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        sheet = AskScreen("Test", [Field("a", "A"), Field("b", "B", "xyz")])
        await app.push_screen(sheet)
        await pilot.press("down")
        field = sheet.query_one("#field-b", Input)
        assert sheet.focused is field
        match how:
            case "click beside":
                sheet.set_focus(None)
            case "window behind":
                app.post_message(AppBlur())
            case _:
                field.display = False
                sheet.set_focus(None)
                await pilot.pause()
                field.display = True
        await pilot.pause()
        await pilot.press("delete", "left", "backspace", "up", "down", "1")
        assert sheet.focused is not None
        assert any("1" in answer for answer in sheet.answers.values())
