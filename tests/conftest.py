"""What every test needs: an environment of its own."""

import gc
import itertools
import os
import sys

import pytest

# A person's Python keeps its bytecode. Without it each process that a test starts compiles the console anew,
# and each worker all tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Rarer still than the console sets them for itself (ui/start.py): garbage took a fifth of the suite's time.
gc.set_threshold(50_000, 20, 50)

for _name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR"):
    os.environ.pop(_name, None)


LONG = (
    "journeys/",
    "triage/test_faults",
    "triage/test_blind",
    "sql/test_guard",
    "drill/platform/test_lock_queue",
    "drill/test_starting",
)
"""Tests that wait for real clocks, servers and outages."""


TOGETHER = ("journeys/test_install", "triage/test_faults")
"""Of these, the ones whose preparation costs more than they do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, each worker its share of them.

    xdist cuts the list into one piece a worker, and who is done steals from the end of another's piece: were
    the long ones all in one piece, everybody would wait for the worker that has it.
    """
    long: dict[str, list[pytest.Item]] = {}
    rest = []
    for item in items:
        if any(name in item.nodeid for name in LONG):
            module = next((name for name in TOGETHER if name in item.nodeid), "")
            long.setdefault(module or item.nodeid, []).append(item)
        else:
            rest.append(item)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    left = iter(rest)
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        size = (len(items) - len(dealt)) // (workers - worker)
        share = list(itertools.chain.from_iterable(list(long.values())[worker::workers]))
        dealt += [*share, *itertools.islice(left, max(0, size - len(share)))]
    items[:] = [*dealt, *left]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the person who runs the tests reaches them, and none of their files is touched."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("ISLA_", "XDG_", "STRIPE_", "SUPABASE_", "VERCEL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
