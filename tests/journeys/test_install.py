"""The wheel, as somebody installs it: into an empty environment, run from elsewhere."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from isla_console import __version__
from tests.support.terminal import Terminal

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, folder: Path) -> str:
    """A command's output; its environment holds nothing of the checkout."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environ | {"HOME": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment with the wheel and what it requires, and nothing else."""
    folder = tmp_path_factory.mktemp("install")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder / "dist", ROOT, folder=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", folder / "venv/bin/python"]
    # What is imported is compiled then: compiling all of it is half of the time.
    run(*pip, "install", "-q", "--no-compile", wheel, folder=folder)
    return folder / "venv/bin"


def test_answers(installed: Path, tmp_path: Path) -> None:
    """`--version`, `check`, `schema`, `drill --list`, and `python -m`."""
    command = installed / "isla-console"
    assert run(command, "--version", folder=tmp_path) == f"isla-console {__version__}\n"
    assert (
        run(installed / "python", "-m", "isla_console", "--version", folder=tmp_path)
        .strip()
        .endswith(__version__)
    )
    checked = run(command, "check", folder=tmp_path)
    assert "ready to use" in checked
    assert str(installed.parent) in checked
    assert str(ROOT / "runbook.yaml") not in checked
    assert "redirect-down" in run(command, "drill", "--list", folder=tmp_path)


@pytest.mark.parametrize("start", [["isla-console"], ["python", "-m", "isla_console"]])
def test_opens(installed: Path, tmp_path: Path, start: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The console opens on the shipped runbook, styled, and is left by q."""
    monkeypatch.chdir(tmp_path)
    environ = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ISLA_LINK_CHECK": "127.0.0.1:9",
    }
    with Terminal([str(installed / start[0]), *start[1:]], environ) as terminal:
        terminal.wait_for("declare an incident")
        terminal.send("1")
        terminal.wait_for("Symptoms")
        terminal.send("q")
        terminal.wait_for("Leave")
        terminal.send("enter")
        assert terminal.wait() == 0


def test_a_drill_without_the_extra_says_what_to_install(installed: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    with Terminal([str(installed / "isla-console"), "drill", "redirect-down"], environ) as terminal:
        assert terminal.wait() == 1
        assert "pip install 'isla-console[drill]'" in terminal.text
