"""The sessions page: which session waits for which, who holds how many, and every session."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from isla_console.sql.health import Health
from isla_console.sql.sessions import Branch, Group, ServerSession, groups, tree
from isla_console.text.plain import plain
from isla_console.text.spans import age
from isla_console.text.times import full_text
from isla_console.ui.lines import Row, RowKey, ends
from isla_console.ui.theme import GLYPHS, MUTED, STYLES

LONG_S = 300.0
LISTED = 200
"""The most sessions drawn one by one; the groups count all."""


def session_rows(
    sessions: Sequence[ServerSession], health: Sequence[Health], wanted: str, width: int
) -> list[Row]:
    """Draw rows with keys `session:<pid>` and `group:<application>/<role>`; `wanted` filters them."""
    rows: list[Row] = []
    branches = tree(sessions)
    if branches:
        rows.append(Row.heading("Who blocks whom: end the root and the rest go on"))
        for branch in branches:
            rows.append(_branch(branch, width))
            if branch.session.gid:
                rows.append(_cure(branch.session, width))
        rows.append(Row.text(""))
    rows.append(Row.heading("By application"))
    found = groups(sessions)
    rows += [_group(group, sum(group.sessions for group in found), width) for group in found]
    rows += [Row.text(""), Row.heading(f"Sessions{f' with “{wanted}”' if wanted else ''}, longest first")]
    above = {branch.session.pid for branch in branches}
    kept = [one for one in sessions if one.pid not in above and wanted.casefold() in _searched(one)]
    kept.sort(key=lambda one: (-(one.transaction_s or 0), -(one.state_s or 0)))
    rows += [_session(one, width, "") for one in kept[:LISTED]]
    if len(kept) > LISTED:
        rows.append(Row.text(Content.styled(f"  and {len(kept) - LISTED} more: / finds", MUTED)))
    if health:
        rows += [Row.text(""), Row.heading("Health")]
        rows += [_health(one, width) for one in health]
    return rows


def summary(sessions: Sequence[ServerSession]) -> Content:
    """Draw the page's first line."""
    hidden = sum(one.hidden for one in sessions)
    waiting = sum(bool(one.blocked_by) for one in sessions)
    longest = max((one.transaction_s or 0.0 for one in sessions), default=0.0)
    line = Content.assemble(
        (str(sum(one.is_client for one in sessions)), "bold"),
        " sessions   ",
        (f"{waiting} wait for a lock", STYLES["alert"] if waiting else MUTED),
        (f"   longest transaction {age(longest)}", STYLES["alert"] if longest > LONG_S else MUTED),
    )
    if hidden:
        told = f"   {hidden} hidden: this role is no member of pg_monitor"
        line = Content.assemble(line, (told, STYLES["elevated"]))
    return line


def session_lines(session: ServerSession) -> list[Content]:
    """Draw a session in full."""
    told = {
        **({"gid": session.gid, "ended by": session.cure} if session.gid else {"pid": str(session.pid)}),
        **({} if session.is_client else {"kind": session.kind}),
        "application": session.application or "(none)",
        "role": session.role,
        "database": session.database,
        "client": session.client,
        "state": f"{session.state or '?'} for {age(session.state_s or 0)}",
        "waits for": session.waits or "nothing",
        "blocked by": ", ".join(
            str(pid) if pid > 0 else "a prepared transaction" for pid in session.blocked_by
        )
        or "nobody",
        "transaction": age(session.transaction_s) if session.transaction_s is not None else "none",
        "connected": f"{full_text(session.backend_start, seconds=True)}, {age(session.age_s)} ago",
    }
    if session.shielded:
        told["never ended"] = session.shielded
    lines = [Content.assemble(f"{name:<12}", (plain(text), "bold")) for name, text in told.items()]
    return [*lines, Content(""), *(Content(plain(line)) for line in session.query.splitlines())]


def _searched(session: ServerSession) -> str:
    return " ".join(
        (str(session.pid), session.application, session.role, session.state, session.query)
    ).casefold()


def _branch(branch: Branch, width: int) -> Row:
    lead = "  " * (branch.depth - 1) + "└ " if branch.depth else ""
    row = _session(branch.session, width, lead)
    if branch.depth == 0 and branch.blocks:
        told = f"blocks {branch.blocks}"
        return Row(row.key, ends(row.content, Content.styled(told, STYLES["alert"]), width))
    return row


def _cure(session: ServerSession, width: int) -> Row:
    told = f"           {plain(session.cure)}  run in {plain(session.database)} ends it"
    return Row.text(Content.styled(told, STYLES["elevated"]).truncate(width, ellipsis=True))


def _group(group: Group, total: int, width: int) -> Row:
    share = group.sessions / total if total else 0
    style = STYLES["elevated"] if share > 0.5 and group.sessions > 10 else ""
    left = Content.assemble(
        "  ",
        (f"{group.sessions:>4}", style or "bold"),
        f"  {plain(group.application) or '(no name)':<24.24} ",
        (f"{plain(group.role):<20.20}", MUTED),
    )
    told = f"{group.idle} idle"
    if group.in_transaction:
        told += f" · {group.in_transaction} idle in transaction"
    if group.idle:
        told += f" · longest {age(group.longest_idle_s)}"
    return Row(
        RowKey("group", f"{group.application}/{group.role}"), ends(left, Content.styled(told, MUTED), width)
    )


def _session(session: ServerSession, width: int, lead: str) -> Row:
    state = session.state.replace("idle in transaction", "idle in tx") or "hidden"
    style = STYLES["elevated"] if state.startswith("idle in tx") else MUTED if state == "idle" else ""
    if session.blocked_by:
        state, style = f"waits for {_blocker(session.blocked_by[0]).removeprefix('a ')}", STYLES["alert"]
    since = session.transaction_s if session.transaction_s is not None else session.state_s
    mark = "·" if session.shielded else " "
    text = f"{session.gid}, of {session.role}" if session.gid else " ".join(session.query.split())
    content = Content.assemble(
        f" {mark}",
        (f"{'-' if session.gid else session.pid:>7}", "bold"),
        f"  {lead + (plain(session.application) or '-'):<20.20} ",
        (f"{state:<18.18}", style),
        (f"{age(since or 0):>5}  ", STYLES["alert"] if (session.transaction_s or 0) > LONG_S else MUTED),
        (plain(text), MUTED if session.state == "idle" else ""),
    )
    return Row(RowKey("session", str(session.pid)), content.truncate(width, ellipsis=True))


def _blocker(pid: int) -> str:
    return str(pid) if pid > 0 else "a prepared transaction"


def _health(health: Health, width: int) -> Row:
    line = Content.assemble(
        "  ",
        (GLYPHS[health.state], STYLES[health.state]),
        f" {health.title:<26}",
        (plain(health.text), STYLES[health.state] if health.state in {"alert", "elevated"} else ""),
    )
    return Row(RowKey("health", health.id), line.truncate(width, ellipsis=True))
