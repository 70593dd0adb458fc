"""How a state looks where there are neither colours nor glyphs."""

from itertools import chain

from isla_console.ui import theme
from isla_console.ui.theme import GLYPHS, ascii_only
from isla_console.ui.views import issue, side
from isla_console.ui.views.marks import MARKS

STATES = {
    "measures": set(GLYPHS.values()) | {"!"},
    "steps": {mark.glyph for mark in MARKS.values()} | {issue.ABSENT},
    "levels": set(side._GLYPHS.values()),
}
"""What stands in one place of one screen and means different things."""


def test_every_state_has_its_own_character_in_ascii() -> None:
    """Also of two places: a reader does not learn the signs of each screen anew."""
    for states in (*STATES.values(), set(chain.from_iterable(STATES.values()))):
        shown = {ascii_only(glyph) for glyph in states}
        assert all(glyph.isascii() and glyph.isprintable() and glyph != " " for glyph in shown)
        assert len(shown) == len(states), sorted(map(ascii_only, states))


def test_every_glyph_is_one_character_in_ascii() -> None:
    glyphs = "".join(map(chr, theme._ASCII))
    assert len(ascii_only(glyphs)) == len(glyphs)
    assert "?" not in ascii_only(glyphs.replace("␛", ""))
