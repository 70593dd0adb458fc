"""The variables of the caller's environment that reach a drill: none of production's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isla_console.settings.resolve import Settings

# A drill starts from an emptied environment: only what describes the person, the terminal and the file
# system passes.
_PASSES = frozenset(
    (
        *("HOME", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER", "EDITOR", "VISUAL"),
        *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "LC_COLLATE"),
        *("TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLORTERM", "NO_COLOR", "WT_SESSION"),
        *("STY", "TMUX", "SSH_CONNECTION", "SSH_TTY"),
        *("XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"),
        *("ISLA_ACTOR", "ISLA_ASCII", "ISLA_MOUSE", "ISLA_RUNBOOK", "ISLA_THEME"),
    )
)
# What an unusually installed Python needs to start again.
_PYTHON = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
# A place without the person's config.toml, which may be broken or hold production's keys.
_NO_CONFIG = {"XDG_CONFIG_HOME": "/nonexistent"}


@dataclass(frozen=True, slots=True)
class Folders:
    """The drill's folders. Its journal lasts from drill to drill, apart from the real one."""

    state: Path
    cache: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Folders:
        """Return the drill's folders for a caller's environment."""
        base = clean(environ) | {"ISLA_STATE_DIR": environ.get("ISLA_STATE_DIR", "")}
        settings = Settings.load(base | _NO_CONFIG)
        return cls(settings.state_dir / "drill", settings.cache_dir / "drill")


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that may reach a drill or a replay."""
    return {name: value for name, value in environ.items() if name in _PASSES}


def actor_of(environ: Mapping[str, str]) -> str:
    """Return the name of the person whose drill it is."""
    return Settings.load(clean(environ) | _NO_CONFIG).actor


def supervisor_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the platform's process, in which only this package of ours is found."""
    package = str(Path(__file__).parents[2])
    passed = {name: os.environ[name] for name in _PYTHON if name in os.environ}
    path = os.pathsep.join(filter(None, (passed.get("PYTHONPATH"), package)))
    return clean(environ) | passed | {"PYTHONPATH": path}
