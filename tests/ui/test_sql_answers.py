"""What the SQL page shows belongs to one statement, whatever comes in which order."""

from __future__ import annotations

import random
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import DataTable

from isla_console.session.sql_view import Query
from isla_console.sql.classify import classify
from isla_console.sql.errors import SqlError
from isla_console.sql.result import Column, SqlResult
from isla_console.ui.pages.sql import SqlPage
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.shell import Shell
from isla_console.ui.widgets.text_block import TextBlock
from tests.support.frozen import frozen_app
from tests.support.pilot import settle

STATEMENTS = tuple(f"SELECT {', '.join(f'{n}{k}' for k in 'abcdefg'[:n])} FROM t{n}" for n in range(1, 6))
"""Statement n has n columns and as many rows, whose cells begin with n."""


def rows_of(statement: str) -> SqlResult:
    n = 1 + STATEMENTS.index(statement)
    columns = tuple(Column(f"c{n}{k}", "text") for k in range(n))
    return SqlResult(classify(statement), columns, tuple((f"{n}",) * n for _ in range(n)))


def failure_of(statement: str) -> SqlResult:
    return SqlResult(classify(statement), error=SqlError("division by zero", "22012"))


async def opened(app: Shell, pilot: Pilot[int]) -> SqlPage:
    await settle(pilot)
    await pilot.press("s")
    await settle(pilot)
    return app.screen.query_one(SqlPage)


def lines(page: SqlPage, id: str) -> str:
    return "\n".join(line.plain for line in page.query_one(id, TextBlock).lines)


def check(page: SqlPage, bright: str) -> None:
    """The table has one statement's columns and rows; whose they are is said unless they are `bright`'s."""
    table = page.query_one(DataTable)
    if page.table is None:
        assert table.row_count == 0
        return
    statement = page.table.answer.query.text
    wanted = rows_of(statement)
    assert [str(column.label) for column in table.ordered_columns] == [c.name for c in wanted.columns]
    shown = [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]
    assert shown == [list(row) for row in wanted.rows]
    assert (statement in lines(page, "#sql-whose")) == (statement != bright)
    if page.answer is not None and page.answer.result.error is not None and bright == "":
        assert statement != page.text or statement in lines(page, "#sql-whose")


async def test_nothing_is_shown_beside_anothers(tmp_path: Path) -> None:
    """A hundred events in an order of chance: begun, answered, failed, planned, typed over, entered."""
    chance = random.Random(20261123)
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        page = await opened(app, pilot)
        page.take(None, STATEMENTS[0])
        bright, begun = "", ""
        for _ in range(100):
            match chance.choice(("type", "begin", "rows", "rows", "fail", "enter", "sort", "find")):
                case "type":
                    page.take(None, chance.choice(STATEMENTS))
                case "begin":
                    begun, bright = page.text, ""
                    page.begin(Query(begun))
                case "rows" if begun:
                    page.show_result(rows_of(begun), Query(begun))
                    bright = begun
                case "fail" if begun:
                    page.show_result(failure_of(begun), Query(begun))
                    bright = ""
                case "enter":
                    page.query_one(DataTable).action_select_cursor()
                    await pilot.pause()
                    if isinstance(app.screen, DetailScreen):
                        said = "\n".join(line.plain for line in app.screen._lines)
                        assert page.table is not None
                        assert all(column.name in said for column in page.table.columns)
                        app.pop_screen()
                case "sort":
                    page.action_sort()
                    page.action_copy("row")
                    page.action_sort()
                    page.action_sort()
            await pilot.pause()
            check(page, bright if bright == page.text else "")
            assert app.is_running


async def test_a_plan_is_the_plan_of_the_statement_in_the_editor(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        page = await opened(app, pilot)
        page.take(None, "DELETE FROM t")
        plan = Query("DELETE FROM t").explained()
        page.begin(plan)
        columns = (Column("QUERY PLAN", "text"),)
        page.show_result(SqlResult(classify(plan.text), columns, (("Delete on t",),)), plan)
        await pilot.pause()
        assert "rows of" in lines(page, "#sql-whose")
        assert "EXPLAIN DELETE FROM t" in lines(page, "#sql-whose")
        assert not page.query_one(DataTable).has_class("-other")
        page.take(None, "SELECT 1")
        await pilot.pause()
        assert page.query_one(DataTable).has_class("-other")
