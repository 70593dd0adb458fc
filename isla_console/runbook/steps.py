"""What is done: steps, and the inputs they need."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from isla_console.runbook.bound import Bound
from isla_console.runbook.fields import (
    MOST,
    Exit,
    Flag,
    Id,
    Line,
    Name,
    Part,
    Pattern,
    Seconds,
    Status,
    Text,
    Value,
)

Kind = Literal["shell", "sql", "http", "open", "goto", "manual"]
"""What a step is: a command, a statement, a request, a page, another issue, or a person's work."""

Effect = Literal["read", "stream", "write", "destroy"]
"""What a step does to production. `stream` reads and never ends by itself."""

InputType = Literal["text", "url", "int", "email", "date", "datetime", "secret", "dsn"]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Pick(Part):
    """Where the value of an input can be chosen from: a column of an earlier step's rows."""

    step: Id
    column: Line


class Input(Part):
    """A value the runbook needs, declared once: `${NAME}` in HTTP, `"$NAME"` in shell, `params` in SQL."""

    name: Annotated[str, Field(max_length=64)] = ""
    type: InputType = "text"
    title: Line
    env: Name | None = None
    """The environment variable it is taken from."""
    secret: Flag = False
    """Typed masked, never shown, stored or logged."""
    default: Value | None = None
    """For a datetime also a span before now, such as -30m; for a date, such as -1d: yesterday, UTC."""
    pattern: Pattern | None = None
    """A regular expression the whole value must match."""
    example: Value | None = None
    optional: Flag = False
    """May stay unset: a query parameter or header that needs it is then left out."""
    pick: Pick | None = None
    source: Annotated[tuple[Line, ...], Field(max_length=MOST)] = ()
    """The placeholders or literal values of the original runbook that it stands for."""

    @property
    def is_secret(self) -> bool:
        """Whether a value is typed masked and never shown."""
        return self.secret or self.type in {"secret", "dsn"}


class HttpCall(Part):
    """A request. `${NAME}` is replaced by an input, escaped for the place it stands in."""

    method: Method = "GET"
    url: Line
    query: dict[Line, Value] = Field(default_factory=dict, max_length=MOST)
    headers: dict[Line, Value] = Field(default_factory=dict, max_length=MOST)
    body: (
        Annotated[str, Field(max_length=20_000)] | Annotated[dict[str, Any], Field(max_length=MOST)] | None
    ) = None
    """Text is sent as it is; a mapping is sent as JSON."""
    form: Annotated[dict[Line, Value], Field(max_length=MOST)] | None = None
    """Sent as application/x-www-form-urlencoded."""


class Expect(Part):
    """What a healthy answer looks like; every condition given has to hold."""

    status: Annotated[tuple[Status, ...], Field(max_length=20)] = ()
    exit_code: Exit | None = None
    pattern: Pattern | None = None
    """A regular expression found in the output."""
    rows: Bound | None = None
    """How many rows, such as "<= 0"."""


class Seen(Part):
    """Output matching `pattern` marks `symptom` as seen."""

    pattern: Pattern
    symptom: Id


Does = Literal["acknowledge", "channel", "roles", "investigate", "updates", "soak", "postmortem"]
"""What a manual step does in the console: acknowledge level 1, copy the channel's name, give roles, open the
issue, open the updates, resolve after the soak, open the post-mortem."""


class Step(Part):
    """One thing to do. Ids are unique in the whole runbook."""

    id: Id
    title: Line
    kind: Kind
    effect: Effect = "read"
    """What it does to production. Must be said for shell, sql and http, and for a manual step that changes
    something."""
    text: Text | None = None
    """What to look for, or for a `manual` step what to do."""
    does: Does | None = None
    """manual: what the console itself does when the step is carried out."""
    run: Text | None = None
    """The command (shell) or the one statement (sql)."""
    params: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    """sql: the inputs bound to $1, $2 and so on."""
    connect: Name | None = None
    """shell: the dsn input given to libpq as PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE."""
    http: HttpCall | None = None
    table: Text | None = None
    """A JMESPath from the JSON answer (or from a line of a stream) to rows, which are what is kept."""
    times: Annotated[tuple[Line, ...], Field(max_length=MOST)] = ()
    """shell, sql, http: the columns that are times, in ISO 8601 or counted since 1970."""
    money: Annotated[dict[Line, Line], Field(max_length=MOST)] = Field(default_factory=dict)
    """shell, http: each column that counts a currency's smallest units, with the column of its currency."""
    url: Line | None = None
    """open: the page."""
    issue: Id | None = None
    """goto: the issue."""
    cli: Text | None = None
    """The vendor's command line that does the same, to copy."""
    source: Text | None = None
    """What the original runbook says, exactly, where `run`, `http` or `url` differs."""
    because: Text | None = None
    """Why it differs."""
    blocked: Text | None = None
    """Why this must not be run."""
    instead: Text | None = None
    """What to do instead of a blocked step."""
    preview: Id | None = None
    """The read-only step that shows what this one would touch."""
    undo: Text | None = None
    secret_output: Flag = False
    timeout_s: Seconds | None = None
    expect: Expect | None = None
    seen: Annotated[tuple[Seen, ...], Field(max_length=MOST)] = ()
