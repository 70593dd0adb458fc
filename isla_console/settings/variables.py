"""The table of everything that can be configured, and the two lists that are made from it."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable; `example` is the value that `.env.example` shows."""

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
        "PostgreSQL, direct or through a pooler, as a read-only role with pg_monitor and BYPASSRLS. "
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

INTERNAL: Final = frozenset({"ISLA_DRILL", "ISLA_DRILL_CONTROL", "ISLA_DRILL_SPEED", "ISLA_CONSOLE_RUN"})
"""Variables that the drill sets for the console, or the console for a step's processes; nobody sets them."""
DEFAULTS: Final = {v.name: v.default for v in VARIABLES if v.default is not None}
SECRETS: Final = frozenset(v.name for v in VARIABLES if v.secret) | {"ISLA_DRILL_CONTROL"}
NAMES: Final = frozenset(v.name for v in VARIABLES)


def env_example() -> str:
    """Return the text of `.env.example`: every variable, grouped, commented out, with its help."""
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
    """Return the table of all variables as the README has it, in Markdown."""
    rows = [
        f"| `{variable.name}` | {variable.help}{' *Secret.*' if variable.secret else ''} |"
        for variable in VARIABLES
    ]
    return "\n".join(["| Variable | What it is |", "|---|---|", *rows]) + "\n"
