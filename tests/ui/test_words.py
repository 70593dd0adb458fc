"""Curves and glyphs, as the screens draw them."""

from hypothesis import given
from hypothesis import strategies as st

from isla_console.ui.theme import ascii_only, sparkline


@given(st.lists(st.none() | st.floats(0, 1e6), max_size=40), st.integers(1, 30))
def test_sparkline_fits(history: list[float | None], width: int) -> None:
    line = sparkline(history, width)
    assert len(line) <= width
    assert set(line) <= set(" ▁▂▃▄▅▆▇█")


def test_a_quiet_measure_looks_quiet() -> None:
    assert sparkline([40.0, 41.0, 40.5], 3, ceiling=200) == "▂▂▂"
    assert sparkline([100, 200, 400], 3, ceiling=200) == "▃▅█"
    assert sparkline([0, 0], 2) == "▁▁"


@given(st.text())
def test_ascii_keeps_every_cell(text: str) -> None:
    assert ascii_only(text).isascii()
    assert len(ascii_only(text)) == len(text)
