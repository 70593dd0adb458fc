"""The environment that a command runs in: the person's own, without what would answer prompts or leak.

Variables that confirm by themselves are left out, and so are the console's secrets that the step does not
use and files that a shell would read first. Pagers, prompts and colours are off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from isla_console.runbook.shell import is_bare
from isla_console.runbook.shell_values import is_plain, misuses
from isla_console.runbook.steps import Input
from isla_console.runbook.templates import PlaceError
from isla_console.settings.variables import VARIABLES

_CONFIRMS = re.compile(
    r"(?:^|_)(?:YES|ASSUME_YES|ASSUMEYES|AUTO_APPROVE|AUTO_CONFIRM|FORCE|SKIP_CONFIRM\w*)$", re.IGNORECASE
)
_STARTS_SOMETHING = frozenset({"BASH_ENV", "ENV", "PROMPT_COMMAND", "PSQLRC", "PYTHONSTARTUP"})
_CONSOLE = frozenset(variable.name for variable in VARIABLES if variable.secret) | {"ISLA_DRILL_CONTROL"}
_LIBPQ = re.compile(r"PG[A-Z]+$")
_SIMPLE = re.compile(r"[A-Za-z0-9_.,:/@%+=-]*")
_REHEARSED = frozenset({"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR"})
"""What a command in a drill gets of the person's environment, so that it finds none of their logins."""

_CALM = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "PSQL_PAGER": "cat",
    "LESS": "-FRX",
    "GIT_TERMINAL_PROMPT": "0",
    "DEBIAN_FRONTEND": "noninteractive",
    "PGCONNECT_TIMEOUT": "10",
    "PSQLRC": "/dev/null",
}
_TOOL_NEEDS = {
    "vercel": ("VERCEL_TOKEN", "VERCEL_ORG_ID", "VERCEL_PROJECT_ID"),
    "supabase": ("SUPABASE_ACCESS_TOKEN", "SUPABASE_PROJECT_REF"),
    "stripe": ("STRIPE_API_KEY",),
}
_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "application_name": "PGAPPNAME",
    "options": "PGOPTIONS",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
}


def environment(
    person: Mapping[str, str],
    values: Mapping[str, str],
    *,
    secrets: frozenset[str] = frozenset(),
    drill_home: str = "",
) -> dict[str, str]:
    """Return the environment for a command.

    Args:
        person: The environment in which the console was started.
        values: What the step uses, by name; these win.
        secrets: The variables of the secrets that the runbook declares: each only for steps that use it.
        drill_home: In a drill, the command's home folder; "" otherwise.
    """
    if drill_home:
        kept = {name: value for name, value in person.items() if name in _REHEARSED}
        kept["HOME"] = drill_home
    else:
        kept = {
            name: value
            for name, value in person.items()
            if name not in _CONSOLE
            and name not in secrets
            and name not in _STARTS_SOMETHING
            and not _CONFIRMS.search(name)
            and not _LIBPQ.match(name)
        }
    return kept | _CALM | dict(values)


def tool_needs(tools: tuple[str, ...]) -> tuple[str, ...]:
    """Return the settings with which the vendors' own programs log in."""
    return tuple(name for tool in tools for name in _TOOL_NEEDS.get(tool, ()))


def check_shell(script: str, item: Input, value: str) -> None:
    """Check that a value in a shell step's environment stays a single value, and data.

    Raises:
        PlaceError: It has a NUL, begins with a dash where its pattern does not ask for one, the shell would
            split it, or something would read it as code, which only the input's own plain pattern allows.
    """
    name = item.name
    if "\0" in value:
        raise PlaceError(f"{name}: a NUL cannot be handed to a command")
    if value.startswith("-") and not item.pattern:
        raise PlaceError(f"{name}: a leading dash would be taken for an option")
    if not is_plain(item.pattern, item.type) and (found := misuses(script, frozenset({name}))):
        raise PlaceError(
            f"{name}: in line {found[0].line + 1} of the command {found[0].why}; a value is given there only "
            "if the input has a pattern that lets nothing but plain words through"
        )
    if _SIMPLE.fullmatch(value):
        return
    if is_bare(script, name):
        raise PlaceError(f"{name}: the command uses it without quotes, so only plain values are given to it")


def libpq(dsn: str) -> dict[str, str]:
    """Return a postgresql:// address as the variables that libpq's programs read, to keep it out of argv.

    Raises:
        ValueError: It is not such an address; the message does not repeat it.
    """
    try:
        parts = urlsplit(dsn)
        port = parts.port
    except ValueError:
        raise ValueError("it is no postgresql:// address") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("it is no postgresql:// address")
    found = {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    for name, value in parse_qsl(parts.query):
        if name in _OPTIONS:
            found[_OPTIONS[name]] = value
    return {name: value for name, value in found.items() if value}
