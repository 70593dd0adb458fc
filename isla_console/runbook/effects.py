"""What a step does to production, as far as its text shows it: rules by which a declared effect is judged.

The guard raises an effect by them when a step is run; loading and `isla-console check` refuse a runbook that
declares less than they see. SQL is judged by PostgreSQL's grammar, which is not known here: `plain_sql` sees
only what leaps to the eye.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Final

from isla_console.runbook.steps import Effect

ORDER: Final[tuple[Effect, ...]] = ("read", "stream", "write", "destroy")
"""The effects from harmless to harmful; the greater one counts."""

_SHELL: Final[tuple[tuple[Effect, str, str], ...]] = (
    ("destroy", r"\bvercel\s+(?:\S+\s+)*?(?:rollback(?!\s+status)|promote|remove|rm)\b",
     "changes what vercel serves"),
    ("destroy", r"\bvercel\s+(?:env|alias|domains|dns)\s+(?:rm|remove|add|set)\b",
     "changes vercel's settings"),
    ("write", r"\bvercel\s+(?:redeploy|deploy|--prod)\b", "deploys"),
    ("destroy", r"\bsupabase\s+(?:db\s+reset|migration\s+(?:down|revert)|projects\s+delete"
     r"|backups\s+restore)\b", "drops or overwrites data"),
    ("write", r"\bsupabase\s+(?:db\s+push|migration\s+repair|secrets\s+set|functions\s+deploy)\b",
     "changes the Supabase project"),
    ("write", r"\bstripe\s+(?:\S+\s+)*?(?:trigger|create|update|resend|post)\b",
     "writes to the Stripe account"),
    ("destroy", r"\bstripe\s+(?:\S+\s+)*?(?:delete|cancel|refunds?\s+create)\b",
     "destroys or pays out at Stripe"),
    ("destroy", r"\bpg_restore\b(?![^|;&\n]*(?:\s--list|\s-l)\b)", "restores into a database"),
    ("destroy", r"\b(?:dropdb|dropuser)\b", "drops a database"),
    ("destroy", r"\bpsql\b[^|;&\n]*<(?!<)|\bpsql\b[^|;&\n]*\s(?:-f|--file)\b", "runs a file of SQL"),
    ("destroy", r"(?i)\bpsql\b[\s\S]*\b(?:drop|truncate|delete\s+from|pg_terminate_backend)\b",
     "destroys in a database"),
    ("write", r"(?i)\bpsql\b[\s\S]*\b(?:insert\s+into|update\s+\S+\s+set|alter|create|vacuum|grant|revoke)\b",
     "writes to a database"),
    ("write", r"\bpg_dump\b", "reads the whole database and writes it to a file"),
    ("destroy", r"\b(?:rm|shred|mkfs\S*|wipefs|truncate)\s", "removes files"),
    ("destroy", r"\bdd\b[^|;&\n]*\bof=", "overwrites a file or a disk"),
    ("destroy", r"\bkubectl\s+(?:\S+\s+)*?(?:delete|drain|replace)\b", "deletes in the cluster"),
    ("write", r"\bkubectl\s+(?:\S+\s+)*?(?:apply|create|patch|scale|edit|exec|rollout\s+(?:restart|undo))\b",
     "changes the cluster"),
    ("destroy", r"\bterraform\s+(?:\S+\s+)*?(?:apply|destroy)\b", "changes infrastructure"),
    ("destroy", r"\bgit\s+push\b[^|;&\n]*(?:--force|-f\b|--delete)", "rewrites a remote branch"),
    ("write", r"\bgit\s+(?:push|commit|reset|checkout|revert)\b", "changes a repository"),
    ("write", r"\b(?:kill|pkill|killall|reboot|shutdown|systemctl\s+(?:re)?st|service\s+\S+\s)",
     "ends or restarts processes"),
    ("destroy", r"\bcurl\b[^|;&\n]*(?:-[a-zA-Z]*X\s*|--request[=\s]+)[\"']?DELETE\b", "sends a DELETE"),
    ("write", r"\bcurl\b[^|;&\n]*(?:(?:-[a-zA-Z]*X\s*|--request[=\s]+)[\"']?(?:POST|PUT|PATCH)\b"
     r"|\s(?:-[a-zA-Z]*[dFT]|--data\S*|--form|--upload-file|--json)(?=[\s=\"'@]|$))",
     "sends a request that writes"),
    ("write", r"\bwget\b[^|;&\n]*\s--(?:post-\S+|method|body-\S+)", "sends a request that writes"),
    ("destroy", r"\bfind\b[^|;&\n]*\s-(?:delete|exec\w*|ok\w*)\b", "removes or runs what it finds"),
    ("destroy", r"\b(?:aws|gcloud|az|gh|heroku|fly|flyctl)\s[^|;&\n]*(?:\brm\b|delete|destroy|terminate)",
     "deletes at a cloud"),
    ("destroy", r"(?i)\bredis-cli\b[^|;&\n]*\b(?:flushall|flushdb|del|unlink)\b", "deletes from Redis"),
    ("write", r"\b(?:python\d?(?:\.\d+)?|perl|ruby|node|php)\s+(?:\S+\s+)*?-\w*[ecr]\b|\bcrontab\b"
     r"|\b(?:rsync|scp|sftp)\s", "runs or moves what cannot be told from here"),
    ("write", r"\b(?:npm|pnpm|yarn)\s+(?:run|install|ci|publish)\b", "runs a project's own scripts"),
    ("write", r"\b(?:mv|cp|ln|install|chmod|chown|tee|sed\s+-i\S*)\s", "changes files"),
    ("write", r"\beval\b|\|\s*(?:ba|z)?sh\b|\bxargs\b|\bsudo\b|\bssh\b|\bdocker\s+(?:run|exec|rm|stop|kill)",
     "runs commands that cannot be told from here"),
    ("write", r"(?<![0-9&])>>?\s*(?!&|/dev/null|\s)[^\s|;&]", "writes to a file"),
    ("stream",
     r"\s(?:--follow|--tail)(?:\s|$)|\btail\s+(?:\S+\s+)*?-[fF]\b|\bstripe\s+(?:listen\b(?!\s+--print-secret)|logs\s+tail\b)",
     "does not end by itself"),
)  # fmt: skip


@functools.cache
def _rules() -> tuple[tuple[Effect, re.Pattern[str], str], ...]:
    """Compile the table when it is first needed: most runbooks are read without it."""
    return tuple((effect, re.compile(pattern), why) for effect, pattern, why in _SHELL)


_READING_POSTS: Final = re.compile(
    r"/(?:tokeninfo|introspect|search|query/read-only|network-bans/retrieve|observability/\w+)$"
)
"""Paths whose POST is known to change nothing: the body holds a token or a query."""

_DESTROYING_PATHS: Final = re.compile(
    r"/(refunds|payouts|transfers|cancel|void|restore[\w-]*|database/query|database/migrations)$"
)
"""Paths whose requests pay out, overwrite data or run any SQL."""

_NEVER: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("supabase", "migration", "down"), "drops every table of the project: all data is lost"),
    (("supabase", "migration", "revert"), "is no command, and the one most like it drops every table"),
    (("supabase", "db", "reset"), "drops every table of the project: all data is lost"),
    (
        ("stripe", "trigger"),
        "creates real objects in the live account, without asking, where the key is live",
    ),
    (("stripe", "listen", "--print-secret"), "prints the secret of the CLI's own session, not production's"),
    (("npm", "run", "analyze"), "builds the whole application where the console runs"),
    (("npm", "run", "build"), "builds the whole application where the console runs"),
)
"""Commands that are never run from the console, and why; a step that has one is blocked."""

_SECRET: Final[tuple[tuple[str, ...], ...]] = (
    ("--print-secret",),
    ("printenv",),
    ("vercel", "env", "pull"),
    ("supabase", "projects", "api-keys"),
    ("supabase", "secrets", "list"),
    ("gh", "auth", "token"),
    ("gcloud", "auth", "print-access-token"),
    ("aws", "secretsmanager", "get-secret-value"),
    ("kubectl", "get", "secret"),
    ("kubectl", "get", "secrets"),
    ("heroku", "config"),
    ("fly", "secrets"),
    ("vault", "read"),
    ("vault", "kv", "get"),
    ("op", "read"),
    ("pass", "show"),
)
"""Commands whose output is a secret."""

_SUSPECT_WORDS = """
apply cancel chmod chown commit cp create crontab data dd del delete deploy destroy drain drop dropdb
dropuser edit eval exec flushall flushdb grant insert install kill killall ln mkfs mv npm patch pg_dump
pg_restore pg_terminate_backend pkill post promote publish push put reboot redeploy refunds remove replace
repair resend reset restart restore revert revoke rm rollback rsync scale scp set shred shutdown ssh stop
sudo systemctl tee terminate trigger truncate undo unlink update vacuum wipefs xargs yarn
"""
_SUSPECT: Final = frozenset(_SUSPECT_WORDS.split())
"""Words that change something, in most places where a command has them. Only a script with one is judged when
the runbook is read, because compiling the rules takes longer than reading it."""
_WORDS: Final = re.compile(r"[A-Za-z_]+")

_SQL_QUOTED: Final = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_SQL_WRITES = """
delete truncate insert update merge alter create grant revoke vacuum reindex cluster copy call do lock
refresh reassign
comment security
"""
_SQL_BEGINS: Final[dict[str, Effect]] = {
    "drop": "destroy",
    **dict.fromkeys(_SQL_WRITES.split(), "write"),
}
_SQL_INSIDE: Final[tuple[tuple[Effect, re.Pattern[str]], ...]] = (
    ("destroy", re.compile(r"\bpg_terminate_backend\s*\(", re.IGNORECASE)),
    (
        "write",
        re.compile(
            r"\b(?:delete\s+from|insert\s+into|merge\s+into|update\s+[\w.]+\s+(?:\w+\s+)?set)\b",
            re.IGNORECASE,
        ),
    ),
)


def of_shell(script: str) -> Iterator[tuple[Effect, str]]:
    """Yield each effect that a script's text shows, with why."""
    script = script.replace("\\\n", " ")
    for effect, rule, why in _rules():
        if rule.search(script):
            yield effect, f"the command {why}"


def is_suspect(script: str) -> bool:
    """Return whether a script has a word, or a redirection, that often changes something. It is quick."""
    return ">" in script or not _SUSPECT.isdisjoint(word.lower() for word in _WORDS.findall(script))


def of_sql(statement: str) -> Iterator[tuple[Effect, str]]:
    """Yield each effect that leaps to the eye in a statement, with why. The grammar sees more."""
    bare = _SQL_QUOTED.sub(" ", statement)
    first = (_WORDS.findall(bare) or [""])[0].lower()
    if first in _SQL_BEGINS:
        yield _SQL_BEGINS[first], f"the statement is {'an' if first[0] in 'aiu' else 'a'} {first.upper()}"
    for effect, pattern in _SQL_INSIDE:
        if match := pattern.search(bare):
            yield effect, f"the statement has {' '.join(match[0].rstrip('( ').split())}"


def of_http(method: str, url: str, headers: Iterable[str] = ()) -> Iterator[tuple[Effect, str]]:
    """Yield each effect that a request's method, address and headers' names show, with why."""
    path = url.split("?")[0].rstrip("/")
    if method == "DELETE":
        yield "destroy", "a DELETE request deletes"
    elif method not in {"GET", "HEAD"} and not _READING_POSTS.search(path):
        yield "write", f"a {method} request writes"
    if method != "GET" and (match := _DESTROYING_PATHS.search(path)):
        yield "destroy", f"{match[1]} cannot be taken back"
    if any("method-override" in name.lower() for name in headers):
        yield "destroy", "a header makes another method of it"
    if re.search(r"/(?:rollback|promote)/", url) and method != "GET":
        yield "destroy", "it changes which deployment serves production"
    if re.search(r"/(?:runtime-logs|stream)$", path):
        yield "stream", "the answer does not end by itself"


def never(script: str) -> str:
    """Return why a script must not be run from the console; "" when nothing speaks against it."""
    for line in _lines(script):
        for words, why in _NEVER:
            if _in_order(words, line):
                return f"`{' '.join(words)}` {why}"
    return ""


def prints_secret(script: str) -> str:
    """Return the command whose output is a secret; "" when there is none."""
    return next(
        (" ".join(words) for line in _lines(script) for words in _SECRET if _in_order(words, line)), ""
    )


def _lines(script: str) -> list[list[str]]:
    return [
        line.split() for line in script.replace("\\\n", " ").splitlines() if not line.lstrip().startswith("#")
    ]


def _in_order(words: tuple[str, ...], line: list[str]) -> bool:
    """Return whether the words occur in a line in this order, perhaps with others between them."""
    rest = iter(line)
    return all(word in rest for word in words)
