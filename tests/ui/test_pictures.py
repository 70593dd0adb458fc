"""Golden pictures: each screen at both sizes. `pytest --snapshot-update` after looking at the new ones."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.support.frozen import BLIND, CALM, OUTAGE, UNCONFIGURED, Moment, frozen_app
from tests.support.pilot import settle

Compare = Callable[..., bool]
WIDE = (140, 40)
SMALL = (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, SMALL], ids=["140x40", "80x24"])


def pressing(
    *keys: str, moment: Moment | None = None, minutes: float = 0
) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Wait for the start, press keys one by one, then let time pass."""

    async def run(pilot: Pilot[int]) -> None:
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        if moment is not None:
            moment.pass_by(minutes=minutes)
            await pilot.app.program.tick()  # type: ignore[attr-defined]
            await settle(pilot)

    return run


DECLARE = ("d", "enter", "enter", "home", "enter", "f2")


@SIZES
def test_overview_calm(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, CALM), terminal_size=size, run_before=pressing())


@SIZES
def test_overview_outage(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=pressing())


@SIZES
def test_overview_unconfigured(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, UNCONFIGURED), terminal_size=size, run_before=pressing())


@SIZES
def test_overview_blind(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, BLIND), terminal_size=size, run_before=pressing())


@SIZES
def test_issue(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=pressing("1"))


@SIZES
def test_incident(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    """In an incident, 16 minutes on: L2 is due and calls."""
    moment = Moment()
    app = frozen_app(tmp_path, OUTAGE, moment=moment)
    assert snap_compare(app, terminal_size=size, run_before=pressing(*DECLARE, moment=moment, minutes=16))


@SIZES
def test_declare(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=pressing("1", "d"))


@SIZES
def test_help(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("question_mark"))


@SIZES
def test_search(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    run = pressing("slash", *"rollback")
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=run)


@SIZES
def test_step_in_full(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    run = pressing("1", "down", "down", "down", "enter")
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=run)


@SIZES
def test_contacts(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("2", "o"))


@SIZES
def test_procedure(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("7"))


def test_sidebar_small(snap_compare: Compare, tmp_path: Path) -> None:
    run = pressing("left_square_bracket")
    assert snap_compare(frozen_app(tmp_path), terminal_size=SMALL, run_before=run)


def test_ladder_small(snap_compare: Compare, tmp_path: Path) -> None:
    moment = Moment()
    run = pressing(*DECLARE, "right_square_bracket", moment=moment, minutes=3)
    assert snap_compare(frozen_app(tmp_path, OUTAGE, moment=moment), terminal_size=SMALL, run_before=run)


def test_timeline(snap_compare: Compare, tmp_path: Path) -> None:
    moment = Moment()
    run = pressing(*DECLARE, "t", moment=moment, minutes=31)
    assert snap_compare(frozen_app(tmp_path, OUTAGE, moment=moment), terminal_size=WIDE, run_before=run)


def test_light(snap_compare: Compare, tmp_path: Path) -> None:
    app = frozen_app(tmp_path, OUTAGE, environ={"ISLA_THEME": "light"})
    assert snap_compare(app, terminal_size=WIDE, run_before=pressing("1"))


def test_ascii(snap_compare: Compare, tmp_path: Path) -> None:
    app = frozen_app(tmp_path, OUTAGE, environ={"ISLA_ASCII": "1"})
    assert snap_compare(app, terminal_size=WIDE, run_before=pressing("1"))


def test_drill_banner(snap_compare: Compare, tmp_path: Path) -> None:
    app = frozen_app(tmp_path, CALM, environ={"ISLA_DRILL": "redirect-down"})
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing())
