"""kill -9 at any moment: whatever was acknowledged is there, once."""

from pathlib import Path

import pytest

from tests.journal.kills import kill_console, kill_library

SEED = 20261123


def test_a_hundred_kills_of_a_writer_lose_and_double_nothing(tmp_path: Path) -> None:
    found = kill_library(tmp_path / "state" / "journal.sqlite3", 100, SEED)
    assert found.is_well, found
    assert found.acknowledged > 80


@pytest.mark.slow
def test_three_kills_of_the_console_lose_and_double_nothing(tmp_path: Path) -> None:
    found = kill_console(tmp_path, 3, SEED)
    assert found.is_well, found
