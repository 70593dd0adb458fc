"""Whatever comes from outside is shown, never obeyed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.text.plain import plain, plain_block

ESCAPES = [
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b[?1049h",
    "\x9b31m",
    "\r\nover",
    "\u202eright to left",
    "\u200bhidden",
    "[red]markup[/red]",
    "\x00\x7f\b",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_escapes_are_visible(text: str) -> None:
    shown = plain(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cf"} for char in shown)
    assert len(shown) >= len(text)


@given(st.text())
def test_nothing_dangerous_passes(text: str) -> None:
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in plain(text))
    assert all(char == "\n" or unicodedata.category(char) not in {"Cc", "Cf"} for char in plain_block(text))


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S"))))
def test_plain_text_is_itself(text: str) -> None:
    assert plain(text) == text
