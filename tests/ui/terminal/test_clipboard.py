"""Copying out: plain, through tmux, through screen, and what cannot be copied."""

import base64
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from isla_console.ui.terminal.clipboard import LIMIT, copy, osc52
from isla_console.ui.terminal.multiplexer import SCREEN_CHUNK
from tests.support.frozen import frozen_app


def decoded(sequence: str) -> str:
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert found, repr(sequence)
    return base64.b64decode(found[1]).decode()


@given(st.text())
def test_plain(text: str) -> None:
    assert decoded(osc52(text, {})) == text


@given(st.text())
def test_through_tmux(text: str) -> None:
    """Wrapped in tmux's passthrough, every escape inside doubled."""
    wrapped = osc52(text, {"TMUX": "/tmp/tmux-0/default,1,0"})
    assert wrapped.startswith("\x1bPtmux;")
    assert wrapped.endswith("\x1b\\")
    assert decoded(wrapped[7:-2].replace("\x1b\x1b", "\x1b")) == text


@given(st.text(max_size=2000))
def test_through_screen(text: str) -> None:
    """Cut into strings that screen takes, none too long."""
    wrapped = osc52(text, {"STY": "1.tty"})
    parts = re.findall(r"\x1bP(.*?)\x1b\\", wrapped, re.DOTALL)
    assert all(len(part) <= SCREEN_CHUNK for part in parts)
    assert decoded("".join(parts)) == text


async def test_too_long_goes_into_a_file(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test():
        copied = await copy(app, "x" * (LIMIT + 1), tmp_path / "state")
    assert copied.via == "file"
    [path] = list((tmp_path / "state").glob("copied-*"))
    assert str(path) in copied.words
    assert path.stat().st_size == LIMIT + 1


async def test_nowhere_to_copy_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app = frozen_app(tmp_path)
    async with app.run_test():
        copied = await copy(app, "text", tmp_path / "file" / "below")
    assert "nothing was copied" in copied.words
