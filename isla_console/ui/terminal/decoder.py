"""What a terminal sends, read into Textual's events: any byte, in any order, of any size.

The bytes come over a bad link, from a terminal in another encoding, or from whatever was pasted. So nothing
is trusted: a byte that is no UTF-8 becomes U+FFFD, a sequence that cannot be is dropped and never read as
keys, what does not end is cut by its size and ended by time. The grammar is that of ECMA-48 with the
exceptions that terminals make; only the names of the keys are Textual's.
"""

from __future__ import annotations

import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable

from textual import constants
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import XTermParser
from textual.events import AppBlur, AppFocus, Key, Paste
from textual.keys import Keys
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

ESCAPE_S: float = constants.ESCAPE_DELAY
"""Seconds after which ESC was the key Escape and not the beginning of something."""
SEQUENCE_S = 0.5
"""Seconds without a byte after which a sequence, or a character, has no end any more."""
PASTE_S = 2.0
"""Seconds without a byte after which a paste is over, though its end never came."""
SEQUENCE_LIMIT = 64
"""The longest sequence, in bytes. A longer one is dropped with all that belongs to it."""
PASTE_LIMIT = 4 * 1024 * 1024
"""The longest paste, in bytes; the rest is dropped, and that is said."""
CELLS_LIMIT = 10_000
"""The farthest column or line at which a mouse can be."""

ESC, DEL = 0x1B, 0x7F
PASTE_END = b"\x1b[201~"
_STRING_BEGINS = {ord("]"): b"0123456789", ord("P"): b"0123456789;>=!$+", ord("_"): b"G"}
"""OSC, DCS and APC, and how what a terminal answers in them begins; anything else was Alt and a key."""
_PARAMETERS = re.compile(rb"[\x20-\x23\x25-\x3f]+")
_KEY = re.compile(r"\x1b\[([\d:;]*)([@-~])")
_MOUSE = re.compile(r"\x1b\[<(\d{1,3});(\d{1,5});(\d{1,5})[Mm]")
_SYNCHRONIZED = re.compile(r"\x1b\[\?2026;[1-4]\$y")
_MODIFIERS = 256
"""Kitty's modifiers are bits; one more than all of them together."""
_PRIVATE_USE = range(0xE000, 0xF900)


class PasteCut(Message, bubble=False):
    """A paste was longer than the console takes; its beginning was pasted."""


class InputDecoder:
    """Turns bytes into events. However they are split, the same bytes give the same events."""

    def __init__(self) -> None:
        self._names = XTermParser()
        self._utf8 = getincrementaldecoder("utf-8")("replace")
        self._state: Callable[[bytes, int], int] = self._ground
        self._sequence = bytearray()
        self._pasted = bytearray()
        self._is_cut = False
        self._last = 0.0
        self._out: list[Message] = []

    def feed(self, data: bytes, now: float) -> list[Message]:
        """Read bytes that came at `now`, in seconds of any clock that does not jump."""
        self._last, self._out = now, []
        at = 0
        while at < len(data):
            at = self._state(data, at)
        return self._out

    def tick(self, now: float) -> list[Message]:
        """End what has waited too long for its end."""
        self._out = []
        wait = self.wait
        if wait is not None and now - self._last >= wait:
            self._end()
        return self._out

    @property
    def wait(self) -> float | None:
        """Seconds after the last byte at which `tick` has something to do; None when nothing is open."""
        if self._state == self._ground:
            return SEQUENCE_S if self._utf8.getstate()[0] else None
        if self._state == self._paste:
            return PASTE_S
        # ESC alone and Alt with a key look like the beginning of a sequence.
        return ESCAPE_S if len(self._sequence) <= 2 else SEQUENCE_S

    def _end(self) -> None:
        if self._state == self._ground:
            self._end_character()
        elif self._state == self._paste:
            self._end_paste(bytes(self._sequence))
        else:
            self._break_off()

    # Text

    def _ground(self, data: bytes, at: int) -> int:
        """Read text up to the next ESC."""
        stop = data.find(ESC, at)
        if stop < 0:
            self._text(self._utf8.decode(data[at:]))
            return len(data)
        self._text(self._utf8.decode(data[at:stop]))
        self._end_character()
        self._begin(self._escape)
        return stop + 1

    def _text(self, text: str) -> None:
        for char in text:
            self._keys(char)

    def _end_character(self) -> None:
        """Show a character that was cut off as one that is not known."""
        self._text(self._utf8.decode(b"", final=True))
        self._utf8.reset()

    def _keys(self, sequence: str) -> None:
        """Add the keys of a character or a known sequence."""
        for key in self._named(sequence):
            if key.key == Keys.Ignore:
                continue
            if key.character is not None and _is_format(key.character):
                # A joiner has no key that an editor would take; as pasted text it stays.
                self._out.append(Paste(key.character))
            else:
                self._out.append(Key(key.key, key.character))

    def _named(self, sequence: str) -> Iterable[Key]:
        listed = ANSI_SEQUENCES_KEYS.get(sequence)
        if len(sequence) > 1 and isinstance(listed, tuple) and not _is_key(sequence):
            # Textual would take its number for a character before it looks into its own list.
            return [Key(key.value, None) for key in listed]
        return self._names._sequence_to_key_events(sequence)

    # Sequences

    def _begin(self, state: Callable[[bytes, int], int], *begun: int) -> None:
        self._state = state
        if state == self._ground:
            self._sequence.clear()
        elif state == self._escape:
            self._sequence[:] = (ESC,)
        else:
            self._sequence.extend(begun)

    def _escape(self, data: bytes, at: int) -> int:
        """Read the byte after ESC."""
        byte = data[at]
        if byte == ESC:
            self._keys("\x1b")
        elif byte == ord("["):
            self._begin(self._control, byte)
        elif byte == ord("O"):
            self._begin(self._single_shift, byte)
        elif byte in _STRING_BEGINS:
            self._begin(self._string_begins, byte)
        elif byte < 0x80:
            self._begin(self._ground)
            self._after_escape(chr(byte))
        else:
            self._begin(self._ground)
            self._keys("\x1b")
            return at
        return at + 1

    def _after_escape(self, char: str) -> None:
        """Add a key that is known with Alt, or Escape and the key behind it.

        A slow line brings both at once, and nothing here is done with Alt and a letter.
        """
        if isinstance(ANSI_SEQUENCES_KEYS.get(f"\x1b{char}"), tuple):
            self._keys(f"\x1b{char}")
        else:
            self._keys("\x1b")
            self._keys(char)

    def _control(self, data: bytes, at: int) -> int:
        """Read the next byte of a control sequence, ESC [."""
        byte, sequence = data[at], self._sequence
        if len(sequence) == 2 and byte == ord("M"):
            self._begin(self._old_mouse, byte)
        elif len(sequence) == 2 and byte == ord("["):
            self._begin(self._console_key, byte)  # Linux' own console has ESC [ [ A
        elif byte == ord("$"):
            # rxvt's keys end in it, where another sequence would go on.
            self._add_parameters(b"$")
            if (known := sequence.decode()) in ANSI_SEQUENCES_KEYS:
                self._begin(self._ground)
                self._keys(known)
        elif found := _PARAMETERS.match(data, at):
            self._add_parameters(found[0])
            return found.end()
        elif 0x40 <= byte < DEL:
            whole = sequence.decode() + chr(byte)
            self._begin(self._ground)
            if len(whole) <= SEQUENCE_LIMIT:
                self._dispatch(whole)
        else:
            return self._broken(at)
        return at + 1

    def _single_shift(self, data: bytes, at: int) -> int:
        """Read the next byte after ESC O."""
        byte = data[at]
        if found := _PARAMETERS.match(data, at):
            self._add_parameters(found[0])
            return found.end()
        if not 0x40 <= byte < DEL:
            return self._broken(at)
        whole = self._sequence.decode() + chr(byte)
        self._begin(self._ground)
        if whole in ANSI_SEQUENCES_KEYS:
            self._keys(whole)
        return at + 1

    def _add_parameters(self, more: bytes) -> None:
        """Keep as much of a sequence as shows whether it is too long."""
        self._sequence += more[: SEQUENCE_LIMIT + 1 - len(self._sequence)]

    def _console_key(self, data: bytes, at: int) -> int:
        byte = data[at]
        if not 0x40 <= byte < DEL:
            return self._broken(at)
        whole = self._sequence.decode() + chr(byte)
        self._begin(self._ground)
        if whole in ANSI_SEQUENCES_KEYS:
            self._keys(whole)
        return at + 1

    def _old_mouse(self, data: bytes, at: int) -> int:
        """Drop the three bytes of a mouse report as terminals made it of old; every byte may be one."""
        if data[at] == ESC:
            return self._broken(at)
        self._sequence.append(0)
        if len(self._sequence) == 6:
            self._begin(self._ground)
        return at + 1

    def _string_begins(self, data: bytes, at: int) -> int:
        """Tell what a terminal answers, OSC, DCS or APC, from Alt and the same key."""
        kind = self._sequence[1]
        if data[at] in _STRING_BEGINS[kind]:
            self._begin(self._string, data[at])
            return at + 1
        self._begin(self._ground)
        self._after_escape(chr(kind))
        return at

    def _string(self, data: bytes, at: int) -> int:
        """Drop a string up to its end. Nobody asked for it here: it answers who was there before."""
        ends = [found for byte in (b"\x07", b"\x1b", b"\x18", b"\x1a") if (found := data.find(byte, at)) >= 0]
        if not ends:
            return len(data)
        stop = min(ends)
        if data[stop] == ESC:
            self._begin(self._string_ends)
        else:
            self._begin(self._ground)
        return stop + 1

    def _string_ends(self, data: bytes, at: int) -> int:
        """Read the byte after the ESC that ends a string."""
        self._begin(self._ground)
        if data[at] == ord("\\"):
            return at + 1
        self._begin(self._escape)
        return at

    def _broken(self, at: int) -> int:
        """Drop a sequence that cannot go on so; the byte belongs to what comes next."""
        self._begin(self._ground)
        return at

    def _break_off(self) -> None:
        """End a sequence to which nothing came any more."""
        begun = self._sequence.decode("latin-1")
        state = self._state
        self._begin(self._ground)
        if begun == "\x1b" and state == self._escape:
            self._keys("\x1b")
        elif len(begun) == 2 and state != self._string_ends:
            self._after_escape(begun[1])

    def _dispatch(self, whole: str) -> None:
        """Add what a whole control sequence means; nothing, if it means nothing."""
        if whole == "\x1b[200~":
            self._begin(self._paste)
        elif whole == "\x1b[I":
            self._out.append(AppFocus())
        elif whole == "\x1b[O":
            self._out.append(AppBlur())
        elif mouse := _MOUSE.fullmatch(whole):
            buttons, *place = map(int, mouse.groups())
            is_possible = buttons < 256 and max(place) <= CELLS_LIMIT and min(place) > 0
            if is_possible and (event := self._names.parse_mouse_code(whole)) is not None:
                self._out.append(event)
        elif _SYNCHRONIZED.fullmatch(whole):
            self._out.append(TerminalSupportsSynchronizedOutput())
        elif whole in ANSI_SEQUENCES_KEYS or _is_key(whole):
            self._keys(whole)

    # Pastes

    def _paste(self, data: bytes, at: int) -> int:
        """Read pasted bytes; the last ones are held back in `_sequence`, as they may begin the end."""
        held = len(self._sequence)
        chunk = bytes(self._sequence) + data[at:]
        stop = chunk.find(PASTE_END)
        if stop < 0:
            keep = min(len(chunk), len(PASTE_END) - 1)
            self._add_pasted(chunk[: len(chunk) - keep])
            self._sequence[:] = chunk[len(chunk) - keep :]
            return len(data)
        self._end_paste(chunk[:stop])
        return at + stop + len(PASTE_END) - held

    def _add_pasted(self, data: bytes) -> None:
        room = PASTE_LIMIT - len(self._pasted)
        self._pasted += data[:room]
        self._is_cut = self._is_cut or len(data) > room

    def _end_paste(self, rest: bytes) -> None:
        self._add_pasted(rest)
        text = self._pasted.decode("utf-8", "replace").replace("\x00", "")
        cut, self._is_cut = self._is_cut, False
        self._pasted.clear()
        self._begin(self._ground)
        if text:
            self._out.append(Paste(text))
        if cut:
            self._out.append(PasteCut())


def _is_format(text: str) -> bool:
    """Return whether a text is one invisible character that belongs to the text, such as a joiner."""
    return len(text) == 1 and unicodedata.category(text) == "Cf"


def _is_key(whole: str) -> bool:
    """Return whether a control sequence is a key that a terminal can send.

    It is `code ; modifiers ; text`, of which only the code is always there. Textual takes the code of any
    sequence for a character, whatever it is.
    """
    found = _KEY.fullmatch(whole)
    if found is None:
        return False
    parameters, final = found.groups()
    code, modifiers, text, *more = [*parameters.split(";"), "", ""][: max(3, parameters.count(";") + 1)]
    if more or not _numbers(code, modifiers) or not all(_is_character(one) for one in _split(text)):
        return False
    if int(modifiers or 1) > _MODIFIERS:
        return False
    if f"{int(code or 1)}{final}" in FUNCTIONAL_KEYS:
        return True
    if final != "u" or not code:
        return False
    number = int(code)
    return (number == 0 and bool(text)) or (number not in _PRIVATE_USE and _is_character(code, control=True))


def _numbers(*parts: str) -> bool:
    return all(not part or (part.isdecimal() and len(part) < 8) for part in parts)


def _split(text: str) -> list[str]:
    return text.split(":") if text else []


def _is_character(code: str, *, control: bool = False) -> bool:
    """Return whether a number is a character of a text or, with `control`, also a control key."""
    if not code.isdecimal() or len(code) > 7 or not 0 < int(code) < 0x110000:
        return False
    category = unicodedata.category(chr(int(code)))
    return category not in {"Cs", "Cn"} and (control or category != "Cc")
