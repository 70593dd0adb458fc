"""The first line of the overview says what is true: it stays in sight while the cursor is near the top."""

from __future__ import annotations

from pathlib import Path

import pytest

from isla_console.ui.widgets.rows import RowList
from tests.support.frozen import OUTAGE, frozen_app
from tests.support.pilot import settle


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (140, 40), (200, 60)], ids=str)
@pytest.mark.parametrize("way", ["h s h", "h 1 h", "1 b h", "h t h s h", "h o b", "s h", "h down down s h"])
async def test_whichever_way_one_comes_back(tmp_path: Path, size: tuple[int, int], way: str) -> None:
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for key in way.split():
            await pilot.press(key)
            await settle(pilot)
        rows = app.main.query_one("#page", RowList)
        assert app.main.page == "home"
        assert rows.scroll_offset.y == 0
        assert rows.highlighted is not None
        assert "in alert" in rows.options[0].prompt.plain + rows.options[1].prompt.plain  # type: ignore[union-attr]
        await app.program.tick()
        await settle(pilot)
        assert rows.scroll_offset.y == 0
