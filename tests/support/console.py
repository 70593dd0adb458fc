"""The application with its program loaded, so that tests can reach it before and after the first frame."""

from isla_console.session.session import Session
from isla_console.settings.resolve import Settings
from isla_console.ui.program import ConsoleProgram
from isla_console.ui.shell import Shell


def console_app(settings: Settings, session: Session | None = None) -> Shell:
    """A shell and its program, not begun; `session` defaults to the settings' own with the real clock."""
    shell = Shell(settings, lambda shell: ConsoleProgram(shell, session))
    shell.load()
    return shell
