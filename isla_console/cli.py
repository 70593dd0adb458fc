"""The command line: it is parsed, then only what the chosen command needs is imported."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isla_console import __version__, streams

if TYPE_CHECKING:
    from isla_console.settings.resolve import Settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run `isla-console`.

    Exit codes: 0 done, 1 refused or findings, 2 wrong usage, 130 interrupted.
    """
    _restore_signals()
    streams.make_usable()
    try:
        words = sys.argv[1:] if argv is None else argv
        arguments = _parser(with_commands=bool(words)).parse_args(words)
        run = _headless if "headless" in arguments else arguments.run
        code = int(run(arguments))
        streams.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        # `isla-console check | head`, where the reader has left, or a full disk behind `>`.
        return streams.give_up(error)


def _restore_signals() -> None:
    """Let the signals that end a program end this one and what it starts, whatever the parent ignores.

    `nohup`, and a script that starts something in the background, pass on which signals they ignore: a
    console would outlive its terminal, and a drill's platform its console.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _parser(*, with_commands: bool) -> argparse.ArgumentParser:
    """Return the parser; without arguments the console starts sooner if the commands are left out."""
    parser = argparse.ArgumentParser(
        prog="isla-console",
        description="A full-screen terminal console for running a production incident.",
        epilog="Without a command: opens the console. Newcomers: isla-console drill redirect-down",
    )
    parser.add_argument("--version", action="version", version=f"isla-console {__version__}")
    parser.add_argument("--runbook", metavar="FILE", help="your own runbook.yaml (or ISLA_RUNBOOK)")
    parser.add_argument("--theme", choices=("dark", "light"), help="colours (or ISLA_THEME)")
    parser.add_argument("--ascii", action="store_true", help="no box drawing, no symbols (or ISLA_ASCII=1)")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.set_defaults(run=_console)
    if with_commands:
        _add_commands(parser)
    return parser


def _add_commands(parser: argparse.ArgumentParser) -> None:
    from isla_console.headless.parser import add_commands as add_headless

    commands = parser.add_subparsers(title="commands", metavar="")

    check = commands.add_parser("check", help="check the runbook and what it needs")
    check.add_argument("--json", action="store_true", help="findings as JSON")
    check.add_argument("--runbook", metavar="FILE", default=argparse.SUPPRESS)
    check.add_argument("--role", action="store_true", help="print the SQL that makes the read-only role")
    check.set_defaults(run=_check)

    schema = commands.add_parser("schema", help="print the JSON Schema of runbook.yaml")
    schema.set_defaults(run=_schema)

    drill = commands.add_parser("drill", help="rehearse on a real local platform")
    drill.add_argument(
        "scenario", nargs="?", help="which outage; `random` for one not told; `report` for all scores"
    )
    drill.add_argument("--list", action="store_true", help="list the scenarios")
    drill.add_argument(
        "--headless",
        dest="platform_only",
        action="store_true",
        help="start the platform alone and print its variables",
    )
    drill.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="N",
        help="story, ladder and soak N times shorter (1 to 120)",
    )
    drill.add_argument("--seed", type=int, metavar="N", help="for chance: the same seed, the same drill")
    drill.add_argument("--quiet", action="store_true", help="nobody asks, nothing comes between")
    drill.set_defaults(run=_drill)

    replay = commands.add_parser("replay", help="look at a recorded incident on the real screens")
    replay.add_argument("journal", metavar="JOURNAL", help="a journal's file, or exported JSON lines")
    replay.add_argument("--incident", default="", metavar="ID", help="which one; the last, when left out")
    replay.add_argument(
        "--speed", type=_speed, default=10.0, metavar="N", help="N times quicker than it was (1 to 120; 10)"
    )
    replay.set_defaults(run=_replay)

    add_headless(commands)


def _speed(text: str) -> float:
    """Return how many times faster, 1 to 120.

    Raises:
        argparse.ArgumentTypeError: It is not such a number.
    """
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 1 <= speed <= 120:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 120")
    return speed


def _options(arguments: argparse.Namespace) -> dict[str, str | None]:
    """Return the options that set a variable, by its name; None for one that was not given."""
    return {
        "ISLA_RUNBOOK": arguments.runbook,
        "ISLA_THEME": arguments.theme,
        "ISLA_ASCII": "1" if arguments.ascii else None,
        "ISLA_MOUSE": "off" if arguments.no_mouse else None,
    }


def _load_settings(arguments: argparse.Namespace) -> Settings:
    """Return the configuration, the command line's options first.

    Raises:
        SystemExit: It cannot be used; every finding is printed.
    """
    from isla_console.settings.resolve import Settings, SettingsError

    try:
        return Settings.load(os.environ, overrides=_options(arguments))
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


def _console(arguments: argparse.Namespace) -> int:
    return _open(_load_settings(arguments))


def _open(settings: Settings) -> int:
    from isla_console.ui.start import run

    return run(settings)


def _check(arguments: argparse.Namespace) -> int:
    settings = _load_settings(arguments)
    from isla_console.resources import resource
    from isla_console.runbook.check import check, render_json, render_text
    from isla_console.session.steps import sql_effect

    path = Path(settings.get("ISLA_RUNBOOK") or resource("runbook.yaml"))
    report = check(path, settings, sql_effect)
    declared = [item.env for item in report.runbook.inputs.values() if item.env] if report.runbook else None
    # The variables of an unusable runbook are not known, so that no key can be called unknown.
    for finding in settings.findings if declared is None else settings.all_findings(declared):
        print(finding, file=sys.stderr)
    print(render_json(report) if arguments.json else render_text(report))
    wanted = arguments.role or (report.exit_code == 0 and settings.secret("ISLA_DATABASE_URL") is None)
    if wanted and not arguments.json:
        from isla_console.sql.queries import query

        print(f"\nThe read-only role for ISLA_DATABASE_URL:\n\n{query('readonly_role')}", end="")
    return report.exit_code


def _schema(arguments: argparse.Namespace) -> int:
    import json

    from isla_console.runbook.schema import schema

    print(json.dumps(schema(), indent=2))
    return 0


def _drill(arguments: argparse.Namespace) -> int:
    from isla_console.drill import client as drill

    if arguments.list:
        print(drill.list_scenarios())
        return 0
    if arguments.scenario == "report":
        return drill.print_report(os.environ)
    if not arguments.scenario:
        print(f"Which outage? isla-console drill SCENARIO\n{drill.list_scenarios()}", file=sys.stderr)
        return 2
    if not arguments.platform_only:
        from isla_console.ui.terminal.suitable import why_unsuitable

        # Before anything is started, told and scored: a drill that nobody sees is none.
        if reason := why_unsuitable(os.environ):
            print(reason, file=sys.stderr)
            return 2
    os.environ.update({name: value for name, value in _options(arguments).items() if value})
    return drill.run(
        arguments.scenario,
        _open,
        headless=arguments.platform_only,
        speed=arguments.speed,
        seed=arguments.seed,
        quiet=arguments.quiet,
    )


def _replay(arguments: argparse.Namespace) -> int:
    from isla_console.drill.client import clean
    from isla_console.journal.local import JournalError
    from isla_console.settings.resolve import Settings
    from isla_console.ui.start import run_replay

    try:
        # A replay only shows what happened and gets nothing with which it could act.
        nowhere = {"XDG_CONFIG_HOME": "/nonexistent"}
        settings = Settings.load(clean(os.environ) | nowhere, overrides=_options(arguments))
        return run_replay(Path(arguments.journal), arguments.incident, arguments.speed, settings)
    except (JournalError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


def _headless(arguments: argparse.Namespace) -> int:
    settings = _load_settings(arguments)
    from datetime import UTC, datetime

    from isla_console.headless.run import run
    from isla_console.journal.local import FILE_NAME

    return run(
        arguments,
        journal=settings.state_dir / FILE_NAME,
        now=datetime.now(UTC),
        stdin=sys.stdin.buffer if sys.stdin is not None else None,
        out=sys.stdout,
        err=sys.stderr,
    )
