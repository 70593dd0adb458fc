"""Rows, their keys, and lines cut to a width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from isla_console.ui.lines import Row, RowKey, ends, fit, in_ascii

kinds = st.text(min_size=1).filter(lambda text: ":" not in text)


@given(kinds, st.text())
def test_a_key_is_read_back_as_it_was_written(kind: str, id: str) -> None:
    """Colons in the id included."""
    key = RowKey(kind, id)
    assert RowKey.parse(str(key)) == key


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (RowKey("step", "deployments"), "step:deployments"),
        (RowKey("home"), "home"),
        (RowKey("symptom", "redirect-down/reports"), "symptom:redirect-down/reports"),
        (RowKey("look", "issue:payments#step:resend"), "look:issue:payments#step:resend"),
    ],
)
def test_keys_as_text(key: RowKey, text: str) -> None:
    assert str(key) == text
    assert RowKey.parse(text) == key


def test_a_colon_without_an_id_is_the_kind_alone() -> None:
    assert RowKey.parse("differences:") == RowKey("differences")


@pytest.mark.parametrize("text", ["", ":id"])
def test_what_has_no_kind_is_no_key(text: str) -> None:
    assert RowKey.parse(text) is None


@pytest.mark.parametrize("kind", ["", "step:", "a:b"])
def test_a_kind_that_could_not_be_read_back_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="kind of a row"):
        RowKey(kind, "id")


def test_headings_and_texts_have_no_key() -> None:
    assert Row.heading("Symptoms").key is None
    assert Row.text("nothing").key is None


def test_ends_keep_the_right_side() -> None:
    line = ends(Content("a long title that does not fit"), Content("12:00"), 20)
    assert line.cell_length == 20
    assert line.plain.endswith("… 12:00")


def test_ends_without_room_keep_the_left() -> None:
    line = ends(Content("a title"), Content("12:00"), 8)
    assert line.plain == "a title"


@given(st.text(alphabet="ab 1●…漢", max_size=14), st.integers(2, 20))
def test_fit_fills_the_width(text: str, width: int) -> None:
    assert fit(Content(text), width).cell_length == width


def test_in_ascii_keeps_cells_and_styles() -> None:
    line = in_ascii(Content.assemble(("● ok", "bold"), " → next"))
    assert line.plain == "o ok > next"
    assert [(span.start, span.end, span.style) for span in line.spans] == [(0, 4, "bold")]
