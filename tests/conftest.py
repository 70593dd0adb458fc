"""What every test needs: an environment of its own."""

import os

import pytest

for _name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR"):
    os.environ.pop(_name, None)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the person who runs the tests reaches them, and none of their files is touched."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("ISLA_", "XDG_", "STRIPE_", "SUPABASE_", "VERCEL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
