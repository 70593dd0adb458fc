"""What the decoder makes of bytes: the keys that a person pressed, and nothing of what cannot be."""

import os
import random
import sys
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual.events import AppBlur, AppFocus, Key, MouseDown, MouseUp, Paste
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from isla_console.ui.terminal.decoder import (
    ESCAPE_S,
    PASTE_LIMIT,
    PASTE_S,
    SEQUENCE_S,
    InputDecoder,
    PasteCut,
)

Told = tuple[str, ...]


def told(events: list[Message]) -> list[Told]:
    """Events as values: a key as its name and its character, a paste as its text."""
    found: list[Told] = []
    for event in events:
        match event:
            case Key():
                found.append((event.key, event.character or ""))
            case Paste():
                found.append(("paste", event.text))
            case _:
                found.append((type(event).__name__,))
    return found


def read(data: bytes) -> list[Told]:
    """What bytes mean, once nothing has come after them for long."""
    decoder = InputDecoder()
    return told([*decoder.feed(data, 0.0), *decoder.tick(PASTE_S)])


def keys(*names: str) -> list[Told]:
    return [(name, name if len(name) == 1 else "") for name in names]


UNKNOWN = ("replacement_character", "\ufffd")
KEYS: list[tuple[bytes, list[Told]]] = [
    (b"q", keys("q")),
    ("ä界€😀".encode(), [*keys("ä", "界"), ("euro_sign", "€"), ("grinning_face", "😀")]),
    (b"\r", [("enter", "\r")]),
    (b"\x1b", [("escape", "\x1b")]),
    (b"\x1b[A", keys("up")),
    (b"\x1b[1;5C", keys("ctrl+right")),
    (b"\x1bOP", keys("f1")),
    (b"\x1b[[A", keys("f1")),
    (b"\x1b[25~", keys("f13")),
    (b"\x1b[3$", keys("shift+delete")),
    (b"\x1b[1;2R", keys("shift+f3")),
    (b"\x1b[Z", keys("shift+tab")),
    # Escape and a key that a slow line brings at once; only editing keys are known with Alt.
    (b"\x1ba", [("escape", "\x1b"), *keys("a")]),
    (b"\x1b1", [("escape", "\x1b"), *keys("1")]),
    ("\x1bä".encode(), [("escape", "\x1b"), *keys("ä")]),
    (b"\x1bx\x1bs", [("escape", "\x1b"), *keys("x"), ("escape", "\x1b"), *keys("s")]),
    (b"\x1bb", keys("ctrl+left")),
    (b"\x1b\x1b[A", [("escape", "\x1b"), *keys("up")]),
    # Kitty's protocol: a key alone, with its text, with a modifier, of another alphabet.
    (b"\x1b[27u", keys("escape")),
    (b"\x1b[97;;97u", keys("a")),
    (b"\x1b[97;5u", keys("ctrl+a")),
    (b"\x1b[1092;;1092u", keys("ф")),
    # What a person types into a text has no other form than that text.
    ("می\u200cخ".encode(), [*keys("م", "ی"), ("paste", "\u200c"), *keys("خ")]),
    (b"\x1b[0;;8204u", [("paste", "\u200c")]),
    (b"\x1b[0;;8205u", [("paste", "\u200d")]),
    (b"\x1b[200~one\ntwo\x1b[201~q", [("paste", "one\ntwo"), *keys("q")]),
    (b"\x1b[200~a\x1b[31mb\x1b[200~c\x1b[201~", [("paste", "a\x1b[31mb\x1b[200~c")]),
    (b"\x1b[200~\x1b[201~q", keys("q")),
    (b"\x1b[200~\xe4\x00\x1b[201~", [("paste", "\ufffd")]),
    (b"\x1b[I\x1b[O", [(AppFocus.__name__,), (AppBlur.__name__,)]),
    (b"\x1b[<0;5;5M\x1b[<0;5;5m", [(MouseDown.__name__,), (MouseUp.__name__,)]),
    (b"\x1b[?2026;2$y", [(TerminalSupportsSynchronizedOutput.__name__,)]),
]
DROPPED = [
    b"\x1b[999999999999u", b"\x1b[1114112u", b"\x1b[55296u", b"\x1b[0u", b"\x1b[57344u", b"\x1b[97;999u",
    b"\x1b[97;;1114112u", b"\x1b[97;;55296u", b"\x1b[97;;27u", b"\x1b[97;1:3u", b"\x1b[99~", b"\x1b[5;99999~",
    b"\x1b[48;9999;9999;1;1t", b"\x1b[48;0;0;0;0t", b"\x1b[?2026;0$y", b"\x1b[?2048;2$y", b"\x1b[24;80R",
    b"\x1b[<0;99999;5M", b"\x1b[<999;5;5M", b"\x1b[<0;0;0M", b"\x1b[<0;-5;5M", b"\x1b[<;;M", b"\x1b[32;5;5M",
    b"\x1b[M !!", b"\x1b[M\xff\xff\xff", b"\x1b[?1;2c", b"\x1b[>41;379;0c", b"\x1b[201~",
    b"\x1b]11;rgb:0000/0000/0000\x1b\\", b"\x1b]11;rgb:0000/0000/0000\x07", b"\x1bP>|XTerm(379)\x1b\\",
    b"\x1bP1+r436f=323536\x1b\\", b"\x1b_Gi=1;OK\x1b\\", b"\x1b[" + b"1;" * 5000 + b"u",
    b"\x1b]52;c;" + b"QUJD" * 50_000 + b"\x07",
]  # fmt: skip
"""What no key and no mouse sends, but a terminal, an attacker or a bad link may."""
CUT = [b"\x1b[1;5", b"\x1b[<0;5", b"\x1b[M!", b"\x1b]11;rgb:00", b"\x1bP>|XT", b"\x1b[[", b"\x1bO5"]
"""What begins and never ends."""


@pytest.mark.parametrize(("data", "wanted"), KEYS, ids=lambda value: ascii(value)[:40])
def test_what_was_pressed(data: bytes, wanted: list[Told]) -> None:
    assert read(data) == wanted


@pytest.mark.parametrize("data", DROPPED, ids=lambda data: ascii(data)[:40])
def test_what_cannot_be_is_dropped(data: bytes) -> None:
    """And the next key is read."""
    assert read(data + b"q") == keys("q")


@pytest.mark.parametrize("data", CUT, ids=ascii)
def test_what_does_not_end_is_ended_by_time(data: bytes) -> None:
    decoder = InputDecoder()
    assert decoder.feed(data, 0.0) == []
    assert decoder.wait is not None
    assert decoder.tick(decoder.wait) == []
    assert decoder.wait is None
    assert told(decoder.feed(b"q", 1.0)) == keys("q")


@pytest.mark.parametrize("data", CUT, ids=ascii)
def test_what_is_broken_off_by_a_key_leaves_the_key(data: bytes) -> None:
    assert read(data + b"\x1b[A")[-1:] == keys("up")


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"a\xe4b", [*keys("a"), UNKNOWN, *keys("b")]),
        (b"\xff", [UNKNOWN]),
        (b"\xe2\x82", [UNKNOWN]),
        (b"\xe2\x82q", [UNKNOWN, *keys("q")]),
        (b"\xe2\x82\x1b[A", [UNKNOWN, *keys("up")]),
        (b"\xed\xa0\x80", [UNKNOWN] * 3),
    ],
)
def test_a_byte_that_is_no_character_is_shown_as_one(data: bytes, wanted: list[Told]) -> None:
    assert read(data) == wanted


def test_a_paste_without_its_end_ends() -> None:
    """Not while it still comes, however slowly; and the keys after it are keys."""
    decoder = InputDecoder()
    assert decoder.feed(b"\x1b[200~select", 0.0) == []
    assert decoder.feed(b" 1", PASTE_S * 0.9) == []
    assert decoder.tick(PASTE_S * 1.5) == []
    assert told(decoder.tick(PASTE_S * 2)) == [("paste", "select 1")]
    assert told(decoder.feed(b"q", 9.0)) == keys("q")


def test_a_paste_is_bounded_and_that_is_told() -> None:
    decoder = InputDecoder()
    events = list(decoder.feed(b"\x1b[200~", 0.0))
    for _ in range(PASTE_LIMIT // 65_536 + 9):
        events += decoder.feed(b"x" * 65_536, 0.0)
    events += decoder.feed(b"\x1b[201~q", 0.0)
    paste, cut, key = events
    assert isinstance(paste, Paste)
    assert paste.text == "x" * PASTE_LIMIT
    assert isinstance(cut, PasteCut)
    assert told([key]) == keys("q")


@pytest.mark.parametrize("begin", [b"\x1b[", b"\x1b]1", b"\x1bP1", b"\x1b[200~", b"\x1bO"], ids=ascii)
def test_what_never_ends_fills_no_memory(begin: bytes) -> None:
    decoder = InputDecoder()
    decoder.feed(begin, 0.0)
    decoder.feed(b"1" * 65_536, 0.0)
    tracemalloc.start()
    for _ in range(200):
        decoder.feed(b"1" * 65_536, 0.0)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < PASTE_LIMIT * 1.3


PIECES = st.sampled_from(
    [*(data for data, _ in KEYS), *(data for data in DROPPED if len(data) < 99), *CUT, b"\x1b", b"\xe2", b"["]
)
streams = st.lists(st.one_of(PIECES, st.binary(max_size=9)), max_size=9).map(b"".join)


@settings(deadline=None, max_examples=400)
@given(streams, st.data())
@example(b"\x1b[200~x\x1b[201~y", None)
def test_every_split_gives_the_same(data: bytes, drawn: st.DataObject | None) -> None:
    """Byte by byte, or anyhow."""
    whole = read(data)
    cuts = sorted(drawn.draw(st.sets(st.integers(0, len(data)), max_size=9))) if drawn else []
    for at in (cuts, list(range(len(data)))):
        decoder, events = InputDecoder(), []
        for start, stop in zip([0, *at], [*at, len(data)], strict=True):
            events += decoder.feed(data[start:stop], 0.0)
        assert told([*events, *decoder.tick(PASTE_S)]) == whole


@settings(deadline=None, max_examples=400)
@given(streams)
def test_after_anything_and_a_pause_a_key_is_a_key(data: bytes) -> None:
    """Nothing raises; no character is half of a pair, for which no encoding has a form."""
    decoder = InputDecoder()
    events = [*decoder.feed(data, 0.0), *decoder.tick(PASTE_S)]
    for name in told(events):
        "".join(name).encode()
    assert decoder.wait is None
    assert told(decoder.feed(b"q", 9.0)) == keys("q")


def test_a_hundred_thousand_random_bytes() -> None:
    decoder, chance = InputDecoder(), random.Random(os.environ.get("SEED", "7"))
    for at in range(100):
        decoder.feed(chance.randbytes(1000), at / 10)
        decoder.tick(at / 10 + chance.random() * 3)
    decoder.tick(sys.maxsize)
    assert told(decoder.feed(b"q", sys.maxsize)) == keys("q")


def test_how_long_each_waits() -> None:
    """ESC may be the key, so that it waits least; a paste comes in parts over a bad link."""
    assert ESCAPE_S < SEQUENCE_S < PASTE_S
    for data, wait in ((b"\x1b", ESCAPE_S), (b"\x1b[", ESCAPE_S), (b"\x1b[1", SEQUENCE_S), (b"q", None)):
        decoder = InputDecoder()
        decoder.feed(data, 0.0)
        assert decoder.wait == wait
