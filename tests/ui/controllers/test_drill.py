"""What a drill's log makes the console say in passing."""

from datetime import UTC, datetime

import pytest

from isla_console.drill.client import Entry
from isla_console.ui.controllers.drill import passing_words

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HINT = Entry(AT, "hint", "Has the job run?")
SUPPORT = Entry(AT, "message", "A customer sees zero clicks.", "Support")
PRODUCT = Entry(AT, "message", "Can we trust the numbers?", "Product")
PHASE = Entry(AT, "phase", "Redirects are slow")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ((), ""),
        ((PHASE,), ""),
        ((PHASE, HINT), "A hint is there, if you want one: B"),
        ((SUPPORT, HINT), "Support: A customer sees zero clicks."),
        (
            (HINT, SUPPORT, PRODUCT, HINT),
            "Support: A customer sees zero clicks. · Product: Can we trust the numbers?",
        ),
    ],
)
def test_what_people_say_is_not_covered_by_what_comes_with_it(entries: tuple[Entry, ...], words: str) -> None:
    assert passing_words(entries) == words
