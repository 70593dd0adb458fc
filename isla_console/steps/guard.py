"""The guard: what a step really does is its declared effect, raised where a rule sees more, never lowered.

Each rule says what it saw. A rule may also refuse a step that cannot be run safely here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from isla_console.runbook.shell import tools
from isla_console.runbook.steps import Effect, HttpCall, Step

ORDER: Final[tuple[Effect, ...]] = ("read", "stream", "write", "destroy")
"""The effects from harmless to harmful; the greater one counts."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The effect that counts, why it is higher than declared, and why the step is refused ("" if not)."""

    effect: Effect
    reasons: tuple[str, ...] = ()
    refused: str = ""

    @property
    def is_guarded(self) -> bool:
        """Whether a person confirms it first by typing."""
        return self.effect in {"write", "destroy"}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the judgement depends on besides the step."""

    in_incident: bool
    in_drill: bool
    write_problem: str = ""
    """Why nothing can be journalled ("" when it can)."""
    live_stripe_key: bool = False


SqlEffect = Callable[[str], tuple[Effect, tuple[str, ...]]]
"""Gives a statement's effect by PostgreSQL's own grammar, and why."""


def judge(step: Step, circumstances: Circumstances, sql_effect: SqlEffect) -> Judgement:
    """Judge a step's effect here and now, and whether it may be run."""
    effect, reasons = step.effect, []
    for seen, why in _seen(step, sql_effect):
        if ORDER.index(seen) > ORDER.index(step.effect):
            reasons.append(why)
            effect = max(effect, seen, key=ORDER.index)
    return Judgement(effect, tuple(dict.fromkeys(reasons)), _refused(step, effect, circumstances))


def _refused(step: Step, effect: Effect, here: Circumstances) -> str:
    if step.blocked:
        instead = f" Instead: {step.instead}" if step.instead else ""
        return f"blocked: {step.blocked}{instead}"
    started = tools(step.run or "") if step.kind == "shell" else ()
    if here.in_drill and (vendor := next((tool for tool in started if tool in _VENDORS), None)):
        return f"in a drill {vendor} is not run: it would reach the real platform"
    if "stripe" in started and re.search(r"\btrigger\b", step.run or "") and here.live_stripe_key:
        return "with a live key `stripe trigger` creates real objects in the live account"
    if effect == "destroy" and not here.in_incident:
        return "outside an incident nothing is destroyed: d declares one, then this is journalled"
    if effect == "destroy" and here.write_problem:
        return f"it could not be journalled: {here.write_problem}"
    return ""


_VENDORS: Final = frozenset({"vercel", "supabase", "stripe", "gh", "aws", "gcloud", "kubectl", "npm", "npx"})

_SHELL: Final[tuple[tuple[Effect, str, str], ...]] = (
    ("destroy", r"\bvercel\s+(?:\S+\s+)*?(?:rollback(?!\s+status)|promote|remove|rm)\b",
     "changes what vercel serves"),
    ("destroy", r"\bvercel\s+(?:env|alias|domains|dns)\s+(?:rm|remove|add|set)\b",
     "changes vercel's settings"),
    ("write", r"\bvercel\s+(?:redeploy|deploy|--prod)\b", "deploys"),
    ("destroy", r"\bsupabase\s+(?:db\s+reset|migration\s+down|projects\s+delete|backups\s+restore)\b",
     "drops or overwrites data"),
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
     r"\s(?:--follow|--tail)(?:\s|$)|\btail\s+(?:\S+\s+)*?-[fF]\b|\bstripe\s+(?:listen|logs\s+tail)\b",
     "does not end by itself"),
)  # fmt: skip
_RULES: Final = tuple((effect, re.compile(pattern), why) for effect, pattern, why in _SHELL)

_READING_POSTS: Final = re.compile(
    r"/(?:tokeninfo|introspect|search|query/read-only|network-bans/retrieve|observability/\w+)$"
)
"""Paths whose POST is known to change nothing: the body holds a token or a query."""


_DESTROYING_PATHS: Final = re.compile(
    r"/(refunds|payouts|transfers|cancel|void|restore[\w-]*|database/query|database/migrations)$"
)
"""Paths whose requests pay out, overwrite data or run any SQL."""


def _seen(step: Step, sql_effect: SqlEffect) -> Iterator[tuple[Effect, str]]:
    if step.kind == "shell" and step.run:
        script = step.run.replace("\\\n", " ")
        for effect, pattern, why in _RULES:
            if pattern.search(script):
                yield effect, f"the command {why}"
    elif step.kind == "http" and step.http is not None:
        yield from _by_method(step.http)
    elif step.kind == "sql" and step.run:
        effect, reasons = sql_effect(step.run)
        for why in reasons or (f"the statement is a {effect}",):
            yield effect, why


def _by_method(call: HttpCall) -> Iterator[tuple[Effect, str]]:
    path = call.url.split("?")[0].rstrip("/")
    if call.method == "DELETE":
        yield "destroy", "a DELETE request deletes"
    elif call.method not in {"GET", "HEAD"} and not _READING_POSTS.search(path):
        yield "write", f"a {call.method} request writes"
    if call.method != "GET" and (match := _DESTROYING_PATHS.search(path)):
        yield "destroy", f"{match[1]} cannot be taken back"
    if any("method-override" in name.lower() for name in call.headers):
        yield "destroy", "a header makes another method of it"
    if re.search(r"/(?:rollback|promote)/", call.url) and call.method != "GET":
        yield "destroy", "it changes which deployment serves production"
    if re.search(r"/(?:runtime-logs|stream)$", path):
        yield "stream", "the answer does not end by itself"
