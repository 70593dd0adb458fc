"""What a person must configure: the environment, files named by it, and one config file.

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
import re
import socket
import stat
import tempfile
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

MASK: Final = "••••••"

_APP: Final = "isla-console"
_MAX_SECRET_FILE: Final = 64 * 1024  # bytes; a DSN or a key is far below
_MAX_CONFIG_FILE: Final = 1024 * 1024  # bytes


class Secret:
    """A text that never shows itself: repr, str, format and pickling give no part of it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it at the point of use and keep the result nowhere."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing that can be configured; `example` is what `.env.example` shows."""

    name: str
    help: str
    group: str
    secret: bool = False
    example: str = ""
    default: str | None = None


VARIABLES: Final[tuple[Variable, ...]] = (
    Variable(
        "ISLA_RUNBOOK",
        "Your own runbook.yaml. Without it: the one for the Isla platform that ships.",
        "Console",
        example="/etc/isla-console/runbook.yaml",
    ),
    Variable(
        "ISLA_ACTOR",
        "Your name in the journal and the post-mortem. Default: the login name.",
        "Console",
        example="ana",
    ),
    Variable(
        "ISLA_STATE_DIR",
        "Where incidents are kept. Default: $XDG_STATE_HOME/isla-console.",
        "Console",
        example="/var/lib/isla-console",
    ),
    Variable("ISLA_THEME", "dark or light.", "Console", example="dark", default="dark"),
    Variable(
        "ISLA_ASCII",
        "1 draws frames and states in ASCII, for terminals without UTF-8.",
        "Console",
        example="1",
        default="0",
    ),
    Variable(
        "ISLA_MOUSE",
        "off leaves the mouse to the terminal, for selecting text.",
        "Console",
        example="off",
        default="on",
    ),
    Variable(
        "ISLA_APP_URL",
        "The main application; its health and API latency are probed here.",
        "What is probed",
        example="https://app.isla.link",
    ),
    Variable(
        "ISLA_REDIRECT_URL",
        "The redirect service.",
        "What is probed",
        example="https://isla.link",
    ),
    Variable(
        "ISLA_TEST_SLUG",
        "A short link reserved for probing, so that a probe is no click of a customer's. Default: test-slug.",
        "What is probed",
        example="test-slug",
    ),
    Variable(
        "ISLA_SUPABASE_URL",
        "The Supabase project.",
        "What is probed",
        example="https://abcdefghijkl.supabase.co",
    ),
    Variable(
        "SUPABASE_ANON_KEY",
        "The project's publishable (anon) key.",
        "What is probed",
        secret=True,
        example="sb_publishable_...",
    ),
    Variable(
        "ISLA_DATABASE_URL",
        "PostgreSQL, direct or session pooler, as a read-only role with pg_monitor and BYPASSRLS. "
        "Add sslmode=verify-full and sslrootcert: without them TLS is not verified.",
        "What is probed",
        secret=True,
        example="postgresql://isla_readonly:password@db.example.com:5432/postgres?sslmode=verify-full",
    ),
    Variable(
        "ISLA_DATABASE_ADMIN_URL",
        "PostgreSQL as a role that may write and signal sessions. Used for writing once it is unlocked, and "
        "for ending sessions; without it the SQL page only reads.",
        "What is probed",
        secret=True,
        example="postgresql://postgres:password@db.example.com:5432/postgres?sslmode=verify-full",
    ),
    Variable(
        "ISLA_LINK_CHECK",
        "host:port, host:port ...: if none of them can be reached, it is our own link that is "
        "down, not the platform. Without it: the runbook's targets.",
        "What is probed",
        example="1.1.1.1:443, 8.8.8.8:443",
    ),
    Variable(
        "ISLA_RESTORE_URL",
        "A new, empty database to restore into; never the production one.",
        "Recovery",
        secret=True,
        example="postgresql://postgres:password@restore.example.com:5432/postgres",
    ),
    Variable(
        "SUPABASE_PROJECT_REF",
        "The Supabase project's reference, for its management API.",
        "Vendors",
        example="abcdefghijkl",
    ),
    Variable(
        "SUPABASE_ACCESS_TOKEN",
        "A personal access token for Supabase's management API.",
        "Vendors",
        secret=True,
        example="sbp_...",
    ),
    Variable(
        "VERCEL_PROJECT_ID",
        "The Vercel project.",
        "Vendors",
        example="prj_...",
    ),
    Variable("VERCEL_ORG_ID", "The Vercel team, if it is a team's.", "Vendors", example="team_..."),
    Variable(
        "VERCEL_TOKEN",
        "A token for Vercel's API.",
        "Vendors",
        secret=True,
        example="...",
    ),
    Variable(
        "STRIPE_API_KEY",
        "A restricted, read-only Stripe key.",
        "Vendors",
        secret=True,
        example="rk_live_...",
    ),
    Variable(
        "ISLA_SUPABASE_API_URL",
        "Supabase's management API, where it is reached through a gateway.",
        "Vendor addresses",
        example="https://api.supabase.com",
    ),
    Variable(
        "ISLA_VERCEL_API_URL",
        "Vercel's API.",
        "Vendor addresses",
        example="https://api.vercel.com",
    ),
    Variable(
        "ISLA_VERCEL_STATUS_URL",
        "Vercel's status page.",
        "Vendor addresses",
        example="https://www.vercel-status.com",
    ),
    Variable(
        "ISLA_SUPABASE_STATUS_URL",
        "Supabase's status page.",
        "Vendor addresses",
        example="https://status.supabase.com",
    ),
    Variable(
        "ISLA_STRIPE_STATUS_URL",
        "Stripe's status page.",
        "Vendor addresses",
        example="https://status.stripe.com",
    ),
    Variable(
        "ISLA_STRIPE_API_URL",
        "Stripe's API.",
        "Vendor addresses",
        example="https://api.stripe.com",
    ),
    Variable(
        "ISLA_GOOGLE_OAUTH_URL",
        "Google's OAuth service.",
        "Vendor addresses",
        example="https://oauth2.googleapis.com",
    ),
)

# Set by `isla-console drill` for the console, or by the console for a step's processes: in no list.
_INTERNAL: Final = frozenset({"ISLA_DRILL", "ISLA_DRILL_CONTROL", "ISLA_DRILL_SPEED", "ISLA_CONSOLE_RUN"})
_DEFAULTS: Final = {v.name: v.default for v in VARIABLES if v.default is not None}
_SECRETS: Final = frozenset(v.name for v in VARIABLES if v.secret) | {"ISLA_DRILL_CONTROL"}
_NAMES: Final = frozenset(v.name for v in VARIABLES)
_THEMES: Final = ("dark", "light")


class SettingsError(Exception):
    """The configuration cannot be used. `findings` say what and where, one line each."""

    def __init__(self, findings: Iterable[str]) -> None:
        self.findings: tuple[str, ...] = tuple(findings)
        super().__init__("\n".join(self.findings))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the configuration that a person should know.

    `name` is the variable it concerns ("" if none), `where` a file, with line and column if known.
    """

    severity: Literal["error", "warning"]
    name: str
    where: str
    problem: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.problem) if part)


@dataclass(frozen=True, slots=True)
class _Found:
    """A value and where it came from."""

    value: Secret
    origin: str


class Settings:
    """The resolved configuration. Made by `load`; never changes afterwards."""

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
    """Who is at the keyboard, as the journal names them."""
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
        self._config, self._positions, self._refused = _read_config(self._config_path)

    @classmethod
    def load(
        cls, environ: Mapping[str, str], *, overrides: Mapping[str, str | None] | None = None
    ) -> Settings:
        """Resolve the configuration.

        Args:
            environ: usually `os.environ`.
            overrides: values from the command line by variable name; None or "" is "not given".

        Raises:
            SettingsError: the config file is broken, or a value is none of the allowed ones.
                A missing `NAME_FILE` is no reason to refuse: it is in `findings`, and what
                needs that variable says so.
        """
        self = cls(environ, overrides or {})
        for name in sorted(_NAMES):
            self._lookup(name)
        self._warn_about_readable_secrets()
        refused = list(self._refused)
        if (theme := self.get("ISLA_THEME")) not in _THEMES:
            where = self.origin("ISLA_THEME")
            if where == "config.toml":
                where = self._position("ISLA_THEME")
            refused.append(f"{where}: ISLA_THEME is {_short(theme)}: write dark or light")
        if refused:
            raise SettingsError(refused)
        given = self.get("ISLA_STATE_DIR")
        self.state_dir = (
            Path(os.path.abspath(_expand(given)))  # noqa: PTH100 - resolve() would follow links
            if given
            else self._base("XDG_STATE_HOME", ".local/state") / _APP
        )
        self.actor = _one_line(self.get("ISLA_ACTOR") or _login(self._environ))
        self.host = _one_line(socket.gethostname().split(".")[0]) or "localhost"
        self.drill = self.get("ISLA_DRILL")
        return self

    def get(self, name: str) -> str | None:
        """The value of any variable, one that a team's runbook declares included, or None.

        A declared secret is answered with bullets: take it by `secret`.
        """
        found = self._lookup(name)
        if found is None:
            return None
        return MASK if name in _SECRETS else found.value.reveal()

    def secret(self, name: str) -> Secret | None:
        """The value of any variable as a Secret, or None."""
        found = self._lookup(name)
        return found.value if found else None

    def flag(self, name: str) -> bool:
        """True for 1, true, yes and on, in any case."""
        return (self.get(name) or "").strip().lower() in {"1", "true", "yes", "on"}

    def origin(self, name: str) -> str:
        """ "command line", "environment", "file /x/y", "config.toml", "default" or "not set"."""
        found = self._lookup(name)
        return found.origin if found else "not set"

    def problem(self, name: str) -> str | None:
        """Why a variable that someone meant to set has no value, or None."""
        self._lookup(name)
        return self._problems.get(name)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong without being fatal. Unknown keys are apart, in `unknown_keys`."""
        return tuple(self._findings)

    def said(self, known: Iterable[str] = ()) -> tuple[Finding, ...]:
        """All that a person should know: `findings`, then `unknown_keys`."""
        return (*self.findings, *self.unknown_keys(known))

    def unknown_keys(self, known: Iterable[str] = ()) -> tuple[Finding, ...]:
        """Warnings for keys of the config file that neither the console nor the runbook knows.

        Args:
            known: the variables that the runbook declares.
        """
        names = _NAMES | _INTERNAL | set(known)
        return tuple(
            Finding("warning", key, self._position(key), f"unknown key {_short(key)}{hint}")
            for key in self._config
            if key not in names and key.removesuffix("_FILE") not in names
            for hint in [_nearest(key, names)]
        )

    def __repr__(self) -> str:
        names = [n for n in sorted(_NAMES) if self._cache.get(n)]
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
        if default := _DEFAULTS.get(name):
            return _Found(Secret(default), "default")
        return None

    def _from_file(self, name: str, path: str, where: str) -> _Found | None:
        text, problem = _read_value(Path(_expand(path)))
        if text:
            return _Found(Secret(text), f"file {_short(path)}")
        problem = f"{name}_FILE: {_short(path)}: {problem or 'is empty'}"
        self._problems[name] = problem
        self._findings.append(Finding("error", name, where, problem))
        return None

    def _base(self, variable: str, below_home: str) -> Path:
        """An XDG base directory. The specification has relative paths ignored."""
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

    def _warn_about_readable_secrets(self) -> None:
        exposed = sorted(key for key in self._config if key in _SECRETS)
        if not exposed:
            return
        with contextlib.suppress(OSError):
            if self._config_path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
                problem = f"holds {', '.join(exposed)} and others can read it: chmod 600"
                self._findings.append(Finding("warning", exposed[0], str(self._config_path), problem))


def env_example() -> str:
    """The text of `.env.example`: every variable, grouped, commented out, with its help."""
    lines = [
        "# isla-console: everything that can be configured. Copy, fill in, and load it with",
        "#   set -a; . ./.env; set +a",
        "# Each NAME can be NAME_FILE instead, naming a file that holds the value, or a key",
        "# of ~/.config/isla-console/config.toml.",
    ]
    group = ""
    for variable in VARIABLES:
        if variable.group != group:
            group = variable.group
            lines += ["", f"## {group}"]
        text = variable.help + (" Secret." if variable.secret else "")
        lines += ["", *textwrap.wrap(text, 98, initial_indent="# ", subsequent_indent="# ")]
        value = f'"{variable.example}"' if re.search(r"[ &?]", variable.example) else variable.example
        lines.append(f"#{variable.name}={value}")
    return "\n".join(lines) + "\n"


def readme_table() -> str:
    """The table of all variables as the README has it, in Markdown."""
    rows = [
        f"| `{variable.name}` | {variable.help}{' *Secret.*' if variable.secret else ''} |"
        for variable in VARIABLES
    ]
    return "\n".join(["| Variable | What it is |", "|---|---|", *rows]) + "\n"


def _read_config(path: Path) -> tuple[dict[str, str], dict[str, tuple[int, int]], tuple[str, ...]]:
    """The config file's values, each key's line and column, and what is of a wrong type; empty if none.

    Raises:
        SettingsError: it is no readable TOML file.
    """
    raw, problem = _read_bytes(path, _MAX_CONFIG_FILE)
    if raw is None:
        if problem == "no such file":
            return {}, {}, ()
        raise SettingsError([f"{path}: {problem}"])
    import tomllib  # not before there is such a file: the first frame waits for what is imported

    try:
        text = raw.decode()
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError([f"{path}:{line}:1: is not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_toml_finding(path, str(error), text)]) from None
    except RecursionError:
        raise SettingsError([f"{path}: is nested too deeply"]) from None
    positions = {key: _key_position(text, key) for key in table}
    values: dict[str, str] = {}
    findings: list[str] = []
    for key, value in table.items():
        if isinstance(value, bool):
            values[key] = "1" if value else "0"
        elif isinstance(value, str | int | float):
            values[key] = str(value)
        else:
            line, column = positions[key]
            kind = "a table" if isinstance(value, dict) else f"a {type(value).__name__}"
            findings.append(
                f'{path}:{line}:{column}: {_short(key)} is {kind}: write NAME = "value", keys are flat'
            )
    return {key: value for key, value in values.items() if value}, positions, tuple(findings)


def _toml_finding(path: Path, message: str, text: str) -> str:
    """tomllib's message as file:line:column. It can quote a character, never a value."""
    if match := re.search(r" \(at line (\d+), column (\d+)\)$", message):
        return f"{path}:{match[1]}:{match[2]}: {message[: match.start()]}"
    lines = text.splitlines() or [""]
    problem = message.removesuffix(" (at end of document)")
    return f"{path}:{len(lines)}:{len(lines[-1]) + 1}: {problem}, and the file ends"


def _key_position(text: str, key: str) -> tuple[int, int]:
    """Line and column, from 1, of a top-level key or table header."""
    quoted = re.escape(key)
    pattern = rf"^[ \t]*\[*[ \t]*[\"']?(?P<key>{quoted})[\"']?[ \t]*[\].=]"
    if match := re.search(pattern, text, re.MULTILINE):
        start = match.start("key")
        return text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1
    return 1, 1


def _read_value(path: Path) -> tuple[str | None, str]:
    """A secret file's text without its trailing newline, or None and the reason."""
    raw, problem = _read_bytes(path, _MAX_SECRET_FILE)
    if raw is None:
        return None, problem
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None, "is not UTF-8 text"
    text = text.rstrip("\r\n")
    if "\0" in text or "\n" in text:
        return None, "holds more than one line: a value is one line"
    return text, ""


def _read_bytes(path: Path, limit: int) -> tuple[bytes | None, str]:
    """A regular file's content, or None and the reason. Never blocks on a pipe."""
    try:
        with contextlib.closing(_Descriptor(path)) as file:
            mode = os.fstat(file.number).st_mode
            if stat.S_ISDIR(mode):
                return None, "is a directory"
            if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
                return None, "is no regular file"
            content = b""
            while len(content) <= limit and (part := os.read(file.number, limit + 1)):
                content += part
    except FileNotFoundError:
        return None, "no such file"
    except (OSError, ValueError) as error:
        return None, (getattr(error, "strerror", None) or "cannot be opened").lower()
    if len(content) > limit:
        return None, f"is larger than {limit // 1024} KiB"
    return content, ""


class _Descriptor:
    """An open file descriptor; O_NONBLOCK, so that a pipe nobody writes to does not hang us."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self.number)


def _expand(path: str) -> str:
    with contextlib.suppress(RuntimeError):
        return str(Path(path).expanduser())
    return path


def _login(environ: Mapping[str, str]) -> str:
    """The person's login name; behind sudo, the person's and not root's."""
    try:
        login = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        login = environ.get("LOGNAME") or environ.get("USER") or f"uid{os.getuid()}"
    return environ.get("SUDO_USER", login) if login == "root" else login


def _one_line(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()[:64]


def _short(text: str | None) -> str:
    """Text that came from outside, for a finding: printable and short."""
    shown = "".join(c if c.isprintable() else "?" for c in text or "")
    return shown if len(shown) <= 120 else shown[:119] + "…"


def _nearest(key: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(key.upper(), sorted(names), n=1, cutoff=0.75)
    if close:
        return f": did you mean {close[0]}?"
    return ": neither the console nor the runbook uses it"
