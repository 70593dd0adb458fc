"""The arguments of `isla-console incident …`, `isla-console journal …` and `isla-console report`."""

from __future__ import annotations

from typing import Any


def add_commands(commands: Any) -> None:
    """Add the commands to argparse's subcommands; `headless.run` takes what they parse.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    incident = commands.add_parser("incident", help="list, show, export and import incidents")
    actions = incident.add_subparsers(dest="action", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="every incident; what is open or overdue is marked")
    listing.add_argument("--json", action="store_true", help="as JSON")

    show = actions.add_parser("show", help="how one stands: clocks, ladder, updates, what is next")
    show.add_argument("id", nargs="?", metavar="ID", help="the open one, or the last, when left out")
    show.add_argument("--at", metavar="TIME", help="as it stood then, such as 2026-11-23T14:30:00Z")
    show.add_argument("--json", action="store_true", help="as JSON")

    export = actions.add_parser("export", help="its events as JSON lines")
    export.add_argument("id", nargs="?", metavar="ID", help="the whole journal when left out")

    importing = actions.add_parser("import", help="take events from JSON lines; twice is once")
    importing.add_argument("file", nargs="?", metavar="FILE", help="standard input when left out or -")
    importing.add_argument("--strict", action="store_true", help="take nothing unless every line is good")
    for action in (listing, show, export, importing):
        action.set_defaults(headless="incident")

    journal = commands.add_parser("journal", help="verify, salvage and back up where incidents are kept")
    acts = journal.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = acts.add_parser("verify", help="check every page and every entry's checksum")
    salvage = acts.add_parser("salvage", help="make a good journal of a damaged one, which is kept")
    salvage.add_argument(
        "-o", "--output", metavar="FILE", help="write it there; by default it takes the place"
    )
    backup = acts.add_parser("backup", help="copy the journal, while consoles are open on it or not")
    for action in (verify, salvage, backup):
        action.add_argument("--json", action="store_true", help="as JSON")
        action.set_defaults(headless="journal")

    report = commands.add_parser("report", help="the post-mortem as Markdown")
    report.add_argument("id", nargs="?", metavar="ID", help="the open one, or the last, when left out")
    report.add_argument("-o", "--output", metavar="FILE", help="write it there, not to standard output")
    report.set_defaults(headless="report", action="report")
