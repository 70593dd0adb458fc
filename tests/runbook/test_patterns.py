"""Patterns match in time that is linear in the text, and what cannot be used is said."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.runbook.patterns import found_in, is_simple, matches_whole, problem, unsupported
from isla_console.steps.output import Capture
from tests.support.pace import slowness

ENDLESS = ["^(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)*(.*)*(.*)*x", "(?i)(a|a|b)*c", r"(\w+\s?)*!"]
"""Patterns on which Python's own engine does not come back."""


@pytest.mark.parametrize("pattern", ENDLESS)
def test_no_pattern_runs_for_ever(pattern: str) -> None:
    text = "a" * 100_000 + "\x00"
    start = time.monotonic()
    found_in(pattern, text)
    found_in(pattern, text, lines=True)
    matches_whole(pattern, text[:8192])
    capture = Capture([pattern])
    for _ in range(10):
        capture.feed(text[:10_000].encode())
    assert time.monotonic() - start < 3 * slowness()


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("(?=a)b", "a look-around"),
        ("(?<!a)b", "a look-around"),
        (r"(a)\1", "a back-reference"),
        ("(?P<x>a)(?P=x)", "a back-reference"),
        ("a*+", "a possessive quantifier or atomic group"),
        ("(?>a)", "a possessive quantifier or atomic group"),
        (r"a\Z", r"\Z"),
        ("(a)?(?(1)b|c)", "a condition"),
        ("[(?=]+", ""),
        (r"\\1", ""),
        ("[*+?}]+", ""),
        ("(?i)too many (clients|connections)", ""),
        ("(?P<id>evt_[A-Za-z0-9]+)", ""),
    ],
)
def test_what_the_engine_leaves_out_is_told_without_it(pattern: str, what: str) -> None:
    assert unsupported(pattern)[0] == what
    if what:
        assert problem(pattern), "and the engine says the same"


def test_what_cannot_be_used_is_found_nowhere_and_raises_nothing() -> None:
    assert problem("(") != ""
    assert not found_in("(", "(")
    assert not matches_whole("(?=a)a", "a")


def test_lines_and_bytes() -> None:
    assert found_in("^0$", "a\n0\nb", lines=True)
    assert not found_in("^0$", "a\n0\nb")
    assert found_in("ok", b"\xff\xfe ok \x80")
    assert found_in("ü", "ü".encode())
    assert matches_whole("[a-z]+", "abc")
    assert not matches_whole("[a-z]+", "abc\n")
    assert not matches_whole("x", "\ud800")


def test_nothing_is_written_to_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    problem("(((")
    found_in("a{1000}{1000}", "a")
    assert capfd.readouterr() == ("", "")


@given(
    st.sampled_from(["[a-c]+", "a|b", "^a", "b$", "(?i)B", r"\d{2,3}", "a.c", "(ab)?c"]),
    st.text("abcABC019 \n"),
)
def test_it_finds_what_pythons_engine_finds(pattern: str, text: str) -> None:
    if pattern != "b$":  # Python's $ also holds before a last line end
        assert found_in(pattern, text) is (re.search(pattern, text) is not None)
    assert matches_whole(pattern, text) is (re.fullmatch(pattern, text) is not None)


def test_simple_enough_for_pythons_engine() -> None:
    assert is_simple("[A-Za-z0-9_-]{1,64}")
    assert not any(is_simple(pattern) for pattern in ("(a+)+", ".*.*.*x"))
