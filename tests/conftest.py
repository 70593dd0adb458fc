"""What every test needs: an environment of its own."""

import os

import pytest

for _name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR"):
    os.environ.pop(_name, None)


LONG = (
    "journeys/",
    "triage/test_faults",
    "triage/test_blind",
    "sql/test_guard",
    "drill/test_leak",
    "drill/test_starting",
)
"""Tests that wait for real clocks, servers and outages."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: with several workers they overlap, and nobody waits for the last of them."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONG))


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the person who runs the tests reaches them, and none of their files is touched."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("ISLA_", "XDG_", "STRIPE_", "SUPABASE_", "VERCEL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
