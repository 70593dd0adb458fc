"""How a drill starts: quickly, from any state of its cache, from an emptied environment."""

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from isla_console.drill import launch, run
from isla_console.drill.launch import Platform
from isla_console.settings.resolve import Settings
from tests.support.pace import slowness
from tests.support.platform import SCENARIO, environment, running_platform, runs_left


def _links(platform: Platform) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(platform.variables["ISLA_DATABASE_URL"])
        try:
            links: int = await connection.fetchval("SELECT count(*) FROM links")
            return links
        finally:
            await connection.close()

    return asyncio.run(count())


def _templates(folder: Path) -> list[Path]:
    return list((folder / "cache/isla-console/drill").glob("template-*"))


def test_the_first_start_makes_the_cache_and_the_second_is_quick(tmp_path: Path) -> None:
    old = tmp_path / "cache/isla-console/drill/template-pg17.1-0123456789ab"
    old.mkdir(parents=True)
    told: list[str] = []

    def start_s() -> float:
        told.clear()
        began = time.monotonic()
        with launch.start(SCENARIO, told.append, environ=environment(tmp_path), by_hand=True):
            return time.monotonic() - began

    first = start_s()
    assert first < 45 * slowness(), "15 s, where nothing else runs"
    assert told.pop(0) == "preparing PostgreSQL for the first time …"
    assert told.pop(0).startswith("an empty cluster, kept for later drills … ")
    steps = ["PostgreSQL", "200,000 clicks over 30 days", "app.isla.link, isla.link, Supabase: on 127.0.0.1"]
    for line, step in zip(told, steps, strict=True):
        assert re.fullmatch(rf"{step}.* … \d+\.\d s", line)
    # The best of three, and held against the first: the machine may be busy with something else.
    assert any(start_s() < max(5, 0.75 * first) for _ in range(3))
    assert len(told) == 3
    assert len(_templates(tmp_path)) == 1
    assert not old.exists(), "a template of another version is removed"
    assert runs_left(tmp_path) == []


def _cut_short(template: Path) -> None:
    (template / "cluster/global/pg_control").write_bytes(b"")


def _scramble(template: Path) -> None:
    """The same size, so that only PostgreSQL can notice."""
    control = template / "cluster/global/pg_control"
    control.write_bytes(b"\xff" * control.stat().st_size)


@pytest.mark.parametrize("damage", [_cut_short, _scramble])
def test_a_damaged_cache_is_made_anew(warm_folder: Path, damage: Callable[[Path], None]) -> None:
    (template,) = _templates(warm_folder)
    damage(template)
    with running_platform(warm_folder) as platform:
        assert _links(platform) == 1200
    assert len(_templates(warm_folder)) == 1
    assert runs_left(warm_folder) == []


def test_two_first_starts_at_once(tmp_path: Path) -> None:
    counts = []

    def drill() -> None:
        with running_platform(tmp_path) as platform:
            counts.append(_links(platform))

    threads = [threading.Thread(target=drill) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1200, 1200]
    assert len(_templates(tmp_path)) == 1
    assert runs_left(tmp_path) == []


def test_the_console_gets_the_platforms_variables_and_nothing_of_productions(
    drill_platform: Platform, drill_folder: Path
) -> None:
    variables = drill_platform.variables
    assert {
        "ISLA_APP_URL",
        "ISLA_REDIRECT_URL",
        "ISLA_TEST_SLUG",
        "ISLA_SUPABASE_URL",
        "SUPABASE_ANON_KEY",
        "ISLA_DATABASE_URL",
        "ISLA_LINK_CHECK",
        "ISLA_DRILL",
        "ISLA_DRILL_CONTROL",
    } <= set(variables)
    addresses = [value for name, value in variables.items() if name.endswith("_URL") and "://" in value]
    assert all("127.0.0.1" in address for address in addresses)
    settings = Settings.load(drill_platform.environ)
    assert settings.drill == SCENARIO
    assert settings.state_dir == drill_folder / "state/isla-console/drill"


def test_a_config_file_with_production_in_it_is_not_read(warm_folder: Path) -> None:
    config = warm_folder / ".config/isla-console/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('STRIPE_API_KEY = "rk_live_x"\nISLA_ACTOR = "prod"\n')
    config.chmod(0o600)
    production = {
        "STRIPE_API_KEY": "rk_live_y",
        "AWS_SECRET": "x",
        "HTTPS_PROXY": "http://proxy",
        "PGHOST": "db",
    }
    with launch.start(
        SCENARIO, lambda line: None, environ=environment(warm_folder) | production, by_hand=True
    ) as platform:
        assert production.keys() & platform.environ.keys() == {"STRIPE_API_KEY"}
        assert "live" not in platform.environ["STRIPE_API_KEY"]
        seen = Path(f"/proc/{platform.pid}/environ").read_bytes()
        assert b"rk_live" not in seen
        assert b"AWS_SECRET" not in seen


def test_the_drill_empties_the_consoles_own_environment(warm_folder: Path) -> None:
    """In a process of its own: it clears os.environ."""
    code = """
import os, sys
from isla_console.drill import run

def console(settings):
    print(settings.drill, settings.get("ISLA_THEME"), "live" in os.environ["STRIPE_API_KEY"], flush=True)
    return 7

sys.exit(run.main("redirect-down", console))
"""
    package = str(Path(run.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(warm_folder)
        | {"STRIPE_API_KEY": "rk_live_x", "ISLA_THEME": "light", "PYTHONPATH": package},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 7, done.stderr
    shown = done.stdout.splitlines()
    assert shown[0] == "redirect-down light False"
    assert "0 of 100 points" in shown, "the score of who only looked"
    assert "200,000 clicks" in done.stderr


def _main(scenario: str) -> int:
    return run.main(scenario, lambda settings: 0)


def test_an_unknown_drill_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main("redirect") == 1
    assert "Did you mean redirect-down?" in capsys.readouterr().err
    listed = [line.split("  ")[0] for line in run.list_scenarios().splitlines()]
    assert listed == sorted(listed)
    assert "redirect-down" in listed


def test_a_missing_extra_is_told_with_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else known(name))
    assert _main(SCENARIO) == 1
    assert "pip install 'isla-console[drill]'" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["cache", "state"])
def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / place).write_text("a file, where a folder should be")
    for name, value in environment(tmp_path).items():
        monkeypatch.setitem(os.environ, name, value)
    assert _main(SCENARIO) == 1
    told = capsys.readouterr().err
    assert "cannot be written" in told
    assert "Traceback" not in told
