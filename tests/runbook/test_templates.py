"""`${NAME}`: what a template names, and its values in their places, each escaped for the place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.runbook.templates import (
    PlaceError,
    fill,
    into_body,
    into_header,
    into_json,
    into_text,
    into_url,
    needed_in,
    variables,
)

VALUES = {"BASE": "https://app.isla.link/", "ID": "a/b c", "QUOTE": 'a"b\\', "EMPTY": "", "UP": ".."}


def test_variables() -> None:
    assert variables("${A}/${B}?x=${A}&y=$C") == ("A", "B")


def test_what_is_filled_in_is_not_filled_again() -> None:
    assert fill("${A}-${B}", {"A": "${B}", "B": "b"}.__getitem__) == "${B}-b"


def test_every_name_has_to_have_a_value() -> None:
    assert needed_in("${BASE}/${ID}", VALUES)
    assert not needed_in("${BASE}/${GONE}", VALUES)
    assert needed_in("nothing", {})


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("${BASE}/api/${ID}", "https://app.isla.link/api/a%2Fb%20c"),
        ("https://x/${BASE}", "https://x/https%3A%2F%2Fapp.isla.link%2F"),
        ("${BASE}/${BASE}", "https://app.isla.link/https%3A%2F%2Fapp.isla.link%2F"),
    ],
)
def test_in_a_url_the_first_is_an_address_and_any_other_a_segment(template: str, url: str) -> None:
    assert into_url(template, VALUES) == url


@pytest.mark.parametrize("template", ["${ID}/x", "https://x/${EMPTY}", "https://x/${UP}/y", "ftp://x", "x"])
def test_what_is_no_address_or_would_move_the_path_is_refused(template: str) -> None:
    with pytest.raises(PlaceError):
        into_url(template, VALUES)


def test_in_the_other_places() -> None:
    assert into_header("X", "Bearer ${ID}", VALUES) == "Bearer a/b c"
    assert into_text("${QUOTE}", VALUES) == 'a"b\\'
    assert into_json({"a": ["${QUOTE}", 1, None]}, VALUES) == {"a": ['a"b\\', 1, None]}
    assert json.loads(into_body('{"a": "${QUOTE}"}', VALUES)) == {"a": 'a"b\\'}
    with pytest.raises(PlaceError, match="plain values"):
        into_body("a=${QUOTE}", VALUES)
    with pytest.raises(PlaceError, match="Latin-1"):
        into_header("X", "${A}", {"A": "\u20ac"})
    with pytest.raises(PlaceError, match="control characters"):
        into_header("X", "${A}", {"A": "a\r\nb"})


@given(st.text())
def test_whatever_a_value_is_it_stays_one_string_of_the_json(value: str) -> None:
    body = into_body('{"a": "${A}", "b": "${A}"}', {"A": value})
    assert json.loads(body) == {"a": value, "b": value}
