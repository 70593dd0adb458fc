"""Help, footer, bindings and README say what the keys do on the page that is open, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.binding import Binding

from isla_console.ui.commands import COMMANDS
from isla_console.ui.main.pages import PAGE_COMMANDS
from isla_console.ui.main.registry import WIDGET_PAGES, page_class
from isla_console.ui.main.screen import MainScreen
from isla_console.ui.page_keys import (
    ENTER,
    ONLY_ON,
    PAGE_KEYS,
    commands_here,
    covered,
    own_keys,
    readme_table,
)
from isla_console.ui.sheets.help import HelpScreen
from isla_console.ui.shell import Shell
from isla_console.ui.widgets.text_block import TextBlock
from tests.support.frozen import frozen_app
from tests.support.pilot import settle
from tests.support.screen import screen_text

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(PAGE_COMMANDS), "issue:redirect-down", "procedure:full-outage", "checklist"]


@pytest.mark.parametrize("page", PAGES)
def test_no_key_has_two_meanings_on_a_page(page: str) -> None:
    keys = [key for own in own_keys(page) for key in own.keys.split(",")]
    keys += [key for here in commands_here(page) for key in here.keys]
    assert len(keys) == len(set(keys))
    named = {here.command.id for here in commands_here(page)} | {one.id for one in covered(page)}
    elsewhere = {id for id, kinds in ONLY_ON.items() if page.partition(":")[0] not in kinds}
    assert named | elsewhere == {command.id for command in COMMANDS}


@pytest.mark.parametrize("page", sorted(WIDGET_PAGES))
def test_a_pages_bindings_are_the_ones_that_help_lists(page: str) -> None:
    made = {
        key
        for binding in page_class(page).BINDINGS
        if isinstance(binding, Binding) and binding.show
        for key in binding.key.split(",")
    }
    assert made == {key for own in own_keys(page) for key in own.keys.split(",")}


def test_every_table_names_real_pages_and_commands() -> None:
    kinds = {page.partition(":")[0] for page in PAGES}
    assert PAGE_KEYS.keys() <= WIDGET_PAGES.keys()
    assert ENTER.keys() <= kinds
    assert ONLY_ON.keys() <= {command.id for command in COMMANDS}
    assert set().union(*ONLY_ON.values()) <= kinds


def test_the_readme_has_the_table() -> None:
    assert readme_table() in (ROOT / "README.md").read_text(encoding="utf-8")


def lines_of(app: Shell) -> list[str]:
    assert isinstance(app.screen, HelpScreen)
    return [line.plain for line in app.screen._lines()]


def keys_of(lines: list[str]) -> list[str]:
    """The first words of the lines that list a key."""
    until = next((n for n, line in enumerate(lines) if line.startswith(("By name", "States"))), len(lines))
    return [line.split()[0] for line in lines[:until] if line.startswith("  ")]


async def test_the_sql_pages_help_is_the_sql_pages(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await pilot.press("s")
        await settle(pilot)
        footer = app.main.query_one("#keys", TextBlock).lines[0].plain
        assert "tick" not in footer
        assert not re.search(r"\bx run\b", footer), "the page's frame says its own"
        await pilot.press("question_mark")
        await settle(pilot)
        lines = lines_of(app)
        assert lines[0] == "On this page"
        assert any(line.startswith("  U ") and "Unlock writing" in line for line in lines)
        keys = keys_of(lines)
        assert len([key for key in keys if key not in {"^p", "space", "-"}]) == len(
            {key for key in keys if key not in {"^p", "space", "-"}}
        )
        assert not any("Do the step" in line or "Tick" in line for line in lines)
        assert any(
            "handoff" in line for line in lines[lines.index("By name here (^p): the page has their keys") :]
        )


async def test_help_on_a_page_of_steps(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await pilot.press("1", "question_mark")
        await settle(pilot)
        lines = lines_of(app)
        top = lines[: lines.index("")]
        assert any("Do the step under the cursor" in line for line in top)
        assert any("this is it" in line for line in top)
        assert not any("Correct the timeline" in line for line in lines)
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("t", "question_mark")
        await settle(pilot)
        assert any("Correct the timeline" in line for line in lines_of(app))
        assert not any("Do the step" in line for line in lines_of(app))


@pytest.mark.parametrize("page", ["home", "contacts", "timeline", "deployments"])
async def test_what_is_left_out_there_opens_nothing_there(tmp_path: Path, page: str) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        for id, kinds in ONLY_ON.items():
            if page in kinds or id in {"tick", "deny"}:  # these also work on the checklist, from any page
                continue
            app.program.console.go(page)
            await settle(pilot)
            app.program.run_command(id, "")
            await settle(pilot)
            assert isinstance(app.screen, MainScreen), id
            assert app.main.page == page, id


async def test_ctrl_c_says_in_plain_words_how_to_leave(tmp_path: Path) -> None:
    """Textual's own words have markup in them, which we show as text."""
    app = frozen_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+c")
        await settle(pilot)
        assert "ctrl+c ends nothing here: q leaves the console, ctrl+q at once." in screen_text(app)
