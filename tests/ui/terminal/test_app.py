"""How an app of ours ends: what it tells of a fault, and whether it says that it ends."""

import asyncio

import pytest

from isla_console.ui.terminal.app import TerminalApp


class Faulty(TerminalApp):
    """Fails with a secret in a variable."""

    def on_mount(self) -> None:
        password = "".join(("hun", "ter2"))
        raise RuntimeError(f"{len(password)} characters")


async def test_a_fault_is_told_without_the_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    app = Faulty()
    with pytest.raises(RuntimeError, match="7 characters"):
        async with app.run_test():
            await asyncio.sleep(0)
    told = capsys.readouterr().err
    assert "RuntimeError: 7 characters" in told
    assert "hunter2" not in told
    assert app.is_leaving


async def test_it_leaves_once_it_was_told_to() -> None:
    app = TerminalApp()
    async with app.run_test():
        assert not app.is_leaving
        app.exit(0)
        assert app.is_leaving
