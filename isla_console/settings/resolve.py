"""Where a value comes from: the command line, the environment, files named by it, one config file.

A value is looked for in this order, and the first that is set wins:

1. a command line option (`overrides`),
2. the environment variable `NAME`,
3. the file that `NAME_FILE` names (how container platforms hand over secrets),
4. `NAME`, then `NAME_FILE`, in `$XDG_CONFIG_HOME/isla-console/config.toml` (flat keys),
5. the default.

An empty string is "not set". Secrets are handed out as `Secret`, which shows itself as bullets.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import pwd
import socket
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from isla_console.settings.files import UnreadableFile, read_config, read_value, short
from isla_console.settings.secret import MASK, SHORTEST, Secret
from isla_console.settings.variables import DEFAULTS, INTERNAL, NAMES, SECRETS

_APP: Final = "isla-console"
_THEMES: Final = ("dark", "light")


class SettingsError(Exception):
    """The configuration cannot be used. `findings` say what is wrong and where, one line each."""

    def __init__(self, findings: Iterable[str]) -> None:
        self.findings: tuple[str, ...] = tuple(findings)
        super().__init__("\n".join(self.findings))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the configuration that a person should know.

    `name` is the variable it concerns ("" for none); `where` is a file, with line and column if known.
    """

    severity: Literal["error", "warning"]
    name: str
    where: str
    problem: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.problem) if part)


_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class _Found:
    """A value and where it came from."""

    value: Secret
    origin: str


class Settings:
    """The resolved configuration. `load` makes it; it never changes afterwards."""

    __slots__ = (
        "_cache",
        "_config",
        "_config_path",
        "_environ",
        "_findings",
        "_overrides",
        "_positions",
        "_problems",
        "_refused",
        "actor",
        "cache_dir",
        "config_dir",
        "drill",
        "host",
        "state_dir",
    )

    state_dir: Path
    """Where incidents are kept; not created here."""
    config_dir: Path
    cache_dir: Path
    actor: str
    """The person at the keyboard, as the journal names them."""
    host: str
    """This machine's short name."""
    drill: str | None
    """The banner of a rehearsal; None in production."""

    def __init__(self, environ: Mapping[str, str], overrides: Mapping[str, str | None]) -> None:
        self._environ = {k: v for k, v in environ.items() if v}
        self._overrides = {k: v for k, v in overrides.items() if v}
        self._findings: list[Finding] = []
        self._problems: dict[str, str] = {}
        self._cache: dict[str, _Found | None] = {}
        self.config_dir = self._base("XDG_CONFIG_HOME", ".config") / _APP
        self.cache_dir = self._base("XDG_CACHE_HOME", ".cache") / _APP
        self._config_path = self.config_dir / "config.toml"
        try:
            self._config, self._positions, self._refused = read_config(self._config_path)
        except UnreadableFile as error:
            raise SettingsError([str(error)]) from None

    @classmethod
    def load(
        cls, environ: Mapping[str, str], *, overrides: Mapping[str, str | None] | None = None
    ) -> Settings:
        """Resolve the configuration.

        Args:
            environ: Usually `os.environ`.
            overrides: Values from the command line by variable name; None or "" is "not given".

        Raises:
            SettingsError: The config file is broken, or a value is not one of those allowed. A missing
                `NAME_FILE` does not raise: it is in `findings`, and whatever needs that variable says so.
        """
        self = cls(environ, overrides or {})
        for name in sorted(NAMES):
            self._lookup(name)
        refused = list(self._refused)
        if (theme := self.get("ISLA_THEME")) not in _THEMES:
            where = self.origin("ISLA_THEME")
            if where == "config.toml":
                where = self._position("ISLA_THEME")
            refused.append(f"{where}: ISLA_THEME is {short(theme)}: write dark or light")
        if refused:
            raise SettingsError(refused)
        given = self.get("ISLA_STATE_DIR")
        self.state_dir = (
            Path(os.path.abspath(_expand(given)))  # noqa: PTH100 - resolve() would follow links
            if given
            else self._base("XDG_STATE_HOME", ".local/state") / _APP
        )
        self._warn_about_open_files()
        self._warn_about_short_secrets()
        self.actor = _one_line(self.get("ISLA_ACTOR") or _login(self._environ))
        self.host = _one_line(socket.gethostname().split(".")[0]) or "localhost"
        self.drill = self.get("ISLA_DRILL")
        return self

    def get(self, name: str) -> str | None:
        """Return the value of any variable, including those that a runbook declares, or None.

        A declared secret comes as bullets: use `secret` for it.
        """
        found = self._lookup(name)
        if found is None:
            return None
        return MASK if name in SECRETS else found.value.reveal()

    def secret(self, name: str) -> Secret | None:
        """Return the value of any variable as a Secret, or None."""
        found = self._lookup(name)
        return found.value if found else None

    def flag(self, name: str) -> bool:
        """Return whether a variable is 1, true, yes or on, in any case."""
        return (self.get(name) or "").strip().lower() in {"1", "true", "yes", "on"}

    def origin(self, name: str) -> str:
        """Return where a value came from.

        One of `command line`, `environment`, `file /x/y`, `config.toml`, `default` and `not set`.
        """
        found = self._lookup(name)
        return found.origin if found else "not set"

    def problem(self, name: str) -> str | None:
        """Return why a variable that someone meant to set has no value, or None."""
        self._lookup(name)
        return self._problems.get(name)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong without being fatal. Unknown keys are separate, in `unknown_keys`."""
        return tuple(self._findings)

    def all_findings(self, known: Iterable[str] = ()) -> tuple[Finding, ...]:
        """Return everything that a person should know: `findings`, then `unknown_keys`."""
        return (*self.findings, *self.unknown_keys(known))

    def unknown_keys(self, known: Iterable[str] = ()) -> tuple[Finding, ...]:
        """Return a warning for each key of the config file that neither the console nor the runbook knows.

        Args:
            known: The variables that the runbook declares.
        """
        names = NAMES | INTERNAL | set(known)
        return tuple(
            Finding("warning", key, self._position(key), f"unknown key {short(key)}{hint}")
            for key in self._config
            if key not in names and key.removesuffix("_FILE") not in names
            for hint in [_nearest(key, names)]
        )

    def __repr__(self) -> str:
        names = [n for n in sorted(NAMES) if self._cache.get(n)]
        return f"Settings({', '.join(f'{n} from {self.origin(n)}' for n in names)})"

    def _lookup(self, name: str) -> _Found | None:
        if name not in self._cache:
            self._cache[name] = self._find(name)
        return self._cache[name]

    def _find(self, name: str) -> _Found | None:
        if value := self._overrides.get(name):
            return _Found(Secret(value), "command line")
        file_name = f"{name}_FILE"
        if value := self._environ.get(name):
            if file_name in self._environ:
                problem = f"{name} and {file_name} are both set: {name} is taken"
                self._findings.append(Finding("warning", name, "environment", problem))
            return _Found(Secret(value), "environment")
        if path := self._environ.get(file_name):
            return self._from_file(name, path, "environment")
        if value := self._config.get(name):
            return _Found(Secret(value), "config.toml")
        if path := self._config.get(file_name):
            return self._from_file(name, path, self._position(file_name))
        if default := DEFAULTS.get(name):
            return _Found(Secret(default), "default")
        return None

    def _from_file(self, name: str, path: str, where: str) -> _Found | None:
        text, problem = read_value(Path(_expand(path)))
        if text:
            return _Found(Secret(text), f"file {short(path)}")
        problem = f"{name}_FILE: {short(path)}: {problem or 'is empty'}"
        self._problems[name] = problem
        self._findings.append(Finding("error", name, where, problem))
        return None

    def _base(self, variable: str, below_home: str) -> Path:
        """Return an XDG base directory. As its specification asks, a relative path is ignored."""
        if (given := self._environ.get(variable)) and Path(given).is_absolute():
            return Path(given)
        if (home := self._environ.get("HOME")) and Path(home).is_absolute():
            return Path(home) / below_home
        try:
            return Path(pwd.getpwuid(os.getuid()).pw_dir) / below_home
        except KeyError:
            return Path(tempfile.gettempdir()) / f"{_APP}-{os.getuid()}" / below_home

    def _position(self, key: str) -> str:
        line, column = self._positions.get(key, (1, 1))
        return f"{self._config_path}:{line}:{column}"

    def _warn_about_open_files(self) -> None:
        """Say which of our files others can read or write, to whom they then are no secret, or not ours."""
        exposed = sorted(key for key in self._config if key in SECRETS)
        with contextlib.suppress(OSError):
            mode = self._config_path.stat().st_mode
            if mode & _OTHERS_WRITE:
                problem = "others can write it, and so decide what runs: chmod 600"
                self._findings.append(Finding("warning", "config.toml", str(self._config_path), problem))
            elif exposed and mode & (stat.S_IRGRP | stat.S_IROTH):
                problem = f"holds {', '.join(exposed)} and others can read it: chmod 600"
                self._findings.append(Finding("warning", exposed[0], str(self._config_path), problem))
        with contextlib.suppress(OSError):
            if self.state_dir.stat().st_mode & _OTHERS_WRITE:
                problem = "others can write into it, and so change what is recorded: chmod 700"
                self._findings.append(Finding("warning", "ISLA_STATE_DIR", str(self.state_dir), problem))

    def _warn_about_short_secrets(self) -> None:
        """Say which secrets are too short to be hidden wherever they turn up."""
        for name in sorted(SECRETS):
            found = self._lookup(name)
            if found is not None and len(found.value.reveal()) < SHORTEST:
                problem = f"is shorter than {SHORTEST} characters: it cannot be hidden where it turns up"
                self._findings.append(Finding("warning", name, found.origin, problem))


def _expand(path: str) -> str:
    with contextlib.suppress(RuntimeError):
        return str(Path(path).expanduser())
    return path


def _login(environ: Mapping[str, str]) -> str:
    """Return the person's login name; behind sudo, the person's and not root's."""
    try:
        login = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        login = environ.get("LOGNAME") or environ.get("USER") or f"uid{os.getuid()}"
    return environ.get("SUDO_USER", login) if login == "root" else login


def _one_line(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()[:64]


def _nearest(key: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(key.upper(), sorted(names), n=1, cutoff=0.75)
    if close:
        return f": did you mean {close[0]}?"
    return ": neither the console nor the runbook uses it"
