"""Rows are cut as they arrive, whatever the pieces they arrive in, and every other byte passes as it was."""

from __future__ import annotations

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.database.incoming import CutCell, Incoming, Limits

Row = tuple[bytes | None, ...]


class Driver(asyncio.Protocol):
    def __init__(self) -> None:
        self.got = b""
        self.largest = 0

    def data_received(self, data: bytes) -> None:
        self.got += data
        self.largest = max(self.largest, len(data))


def message(kind: str, body: bytes) -> bytes:
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def row(*cells: bytes | None) -> bytes:
    parts = [struct.pack("!i", -1) if one is None else struct.pack("!i", len(one)) + one for one in cells]
    return message("D", struct.pack("!H", len(cells)) + b"".join(parts))


def feed(incoming: Incoming, data: bytes, sizes: list[int]) -> None:
    while data:
        size = sizes.pop() if sizes else len(data)
        incoming.data_received(data[:size])
        data = data[size:]


cells = st.one_of(st.none(), st.binary(max_size=40), st.text(max_size=40).map(str.encode))
messages = st.one_of(
    st.lists(cells, max_size=4).map(lambda found: row(*found)),
    st.tuples(st.sampled_from("TCZSN1"), st.binary(max_size=60)).map(lambda found: message(*found)),
)
splits = st.lists(st.integers(1, 9), max_size=200)


@given(st.lists(messages, max_size=12), splits)
def test_what_is_within_the_limits_passes_as_it_was(sent: list[bytes], sizes: list[int]) -> None:
    incoming = Incoming(driver := Driver())
    feed(incoming, b"".join(sent), sizes)
    assert driver.got == b"".join(sent)
    rows = [one for one in sent if one[:1] == b"D"]
    assert (incoming.rows, incoming.take_cuts(), incoming.dropped) == (len(rows), [], 0)
    if sizes == []:
        assert incoming.received >= sum(map(len, rows))


@given(st.lists(st.lists(cells, min_size=1, max_size=4), max_size=8), splits, st.integers(5, 12))
def test_a_long_cell_is_cut_and_its_length_kept(
    rows: list[list[bytes | None]], sizes: list[int], limit: int
) -> None:
    incoming = Incoming(driver := Driver())
    incoming.begin(Limits(cell=limit, row=10_000, answer=None))
    end = message("C", b"SELECT\0")
    feed(incoming, b"".join(row(*one) for one in rows) + end, sizes)
    wanted, cuts = [], []
    for number, found in enumerate(rows):
        short: list[bytes | None] = []
        for column, cell in enumerate(found):
            is_long = cell is not None and len(cell) > limit
            # A row that is short as a whole is not looked into.
            if is_long and len(row(*found)) - 1 > limit:
                assert cell is not None
                cuts.append(CutCell(number, column, len(cell)))
                short.append(whole_characters(cell[:limit]))
            else:
                short.append(cell)
        wanted.append(row(*short))
    assert driver.got == b"".join(wanted) + end
    assert incoming.take_cuts() == cuts


def whole_characters(part: bytes) -> bytes:
    for back in range(1, min(4, len(part)) + 1):
        byte = part[-back]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return part[:-back] if length > back else part
    return part


@given(st.text(min_size=1, max_size=60), st.integers(1, 40), splits)
def test_a_text_is_cut_between_characters(text: str, limit: int, sizes: list[int]) -> None:
    incoming = Incoming(driver := Driver())
    incoming.begin(Limits(cell=limit, row=1000, answer=None))
    feed(incoming, row(text.encode()), sizes)
    assert text.startswith(driver.got[11:].decode())


def test_a_row_of_many_long_cells_is_bounded_as_a_whole() -> None:
    incoming = Incoming(driver := Driver())
    incoming.begin(Limits(cell=100, row=250, answer=None))
    incoming.data_received(row(*[b"x" * 500] * 5, b"", None))
    assert driver.got == row(b"x" * 100, b"x" * 100, b"x" * 50, b"", b"", b"", None)
    assert [one.whole for one in incoming.take_cuts()] == [500] * 5


def test_rows_beyond_the_answers_limit_are_dropped_and_counted() -> None:
    incoming = Incoming(driver := Driver())
    incoming.begin(Limits(answer=2000))
    end = message("C", b"SELECT 100\0")
    for _ in range(50):
        incoming.data_received(row(b"y" * 90) + row(b"z" * 90))
    incoming.data_received(end)
    kept = driver.got.count(b"D\0\0\0d")
    assert driver.got.endswith(end)
    assert kept + incoming.dropped == incoming.rows == 100
    assert 15 <= kept <= 25
    incoming.begin()
    incoming.data_received(row(b"again"))
    assert driver.got.endswith(row(b"again"))


def test_a_gigabyte_in_one_cell_is_never_held() -> None:
    incoming = Incoming(driver := Driver())
    incoming.begin(Limits(cell=1000, row=4000, answer=None))
    size = 2**30
    incoming.data_received(b"D" + struct.pack("!IHi", size + 10, 1, size))
    part = b"x" * 2**20
    for _ in range(1024):
        incoming.data_received(part)
    assert driver.got == row(b"x" * 1000)
    assert incoming.received == size + 6
    incoming.data_received(row(b"next"))
    assert driver.got.endswith(row(b"next"))


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"Z\0\0\0\0", b"\0" * 20])
def test_what_is_no_message_is_left_to_the_driver(data: bytes) -> None:
    incoming = Incoming(driver := Driver())
    incoming.data_received(data)
    incoming.data_received(b"more")
    assert driver.got in {data + b"more", data}
