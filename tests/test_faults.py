"""Every defect of the console is a sentence and an entry in the log, with its place and without a secret."""

import ast
import asyncio
import gc
import logging
import threading
from pathlib import Path

import pytest

from isla_console.faults import Faults
from isla_console.settings.secret import Secret
from isla_console.text.plain import plain
from isla_console.text.redact import Redactor

ROOT = Path(__file__).parents[1] / "isla_console"
SECRET = "s3cret-of-the-house"


def fail() -> None:
    """A defect inside the console's own code, with a secret in its message and in a variable."""
    password = SECRET
    plain({"password": password})  # type: ignore[arg-type]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    return Faults(tmp_path / "faults.log", Redactor([Secret(SECRET)]).text)


def test_a_fault_has_its_place_and_no_secret(faults: Faults, tmp_path: Path) -> None:
    try:
        fail()
    except Exception as error:
        faults.report(error, "while testing")
    faults.report(RuntimeError(f"password {SECRET}\x1b[31m"), "in another")
    newest, first = faults.shown()
    assert first.startswith("internal fault while testing: AttributeError")
    assert "(text/plain.py:" in first
    assert "password ••••" in newest
    log = (tmp_path / "faults.log").read_text()
    assert "test_faults.py:" in log
    assert "in fail" in log
    for text in (first, newest, log):
        assert SECRET not in text
        assert "\x1b" not in text
    assert (tmp_path / "faults.log").stat().st_mode & 0o777 == 0o600


def test_one_that_comes_again_and_again_is_counted_and_logged_ever_rarer(
    faults: Faults, tmp_path: Path
) -> None:
    for _ in range(100):
        faults.report(ValueError("x"), "in a timer")
    (said,) = faults.shown()
    assert said.endswith("100 times. The rest goes on")
    assert (tmp_path / "faults.log").read_text().count("ValueError") == 7


def test_the_log_does_not_grow_for_ever(faults: Faults, tmp_path: Path) -> None:
    for number in range(3000):
        faults.report(ValueError("x" * 150), f"at {number}")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["faults.log", "faults.log.1"]
    assert all(path.stat().st_size <= 256 * 1024 for path in tmp_path.iterdir())


@pytest.mark.parametrize("place", ["/proc/nowhere/log", "directory", "link"])
def test_a_log_that_cannot_be_written_hinders_nothing(tmp_path: Path, place: str) -> None:
    log = tmp_path / place
    if place == "directory":
        log.mkdir()
    if place == "link":
        (tmp_path / "target").write_text("")
        log.symlink_to(tmp_path / "target")
    faults = Faults(log)
    faults.report(ValueError("x"), "in a test")
    assert faults.shown()
    if place == "link":
        assert (tmp_path / "target").read_text() == ""


async def test_what_nobody_else_catches_arrives(faults: Faults, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    faults.watch(loop)
    try:

        async def stray() -> None:
            raise KeyError("a task nobody waits for")

        asyncio.create_task(stray(), name="stray")  # noqa: RUF006
        loop.call_soon(lambda: 1 / 0)
        loop.call_later(0.001, lambda: [][1])
        await asyncio.sleep(0.05)
        gc.collect()
        thread = threading.Thread(target=fail, name="worker")
        thread.start()
        thread.join()
        logging.getLogger("isla_console.somewhere").error("said of %s", SECRET)
        logging.getLogger("elsewhere").error("not ours")
    finally:
        faults.unwatch(loop)
    log = (tmp_path / "faults.log").read_text()
    for said in (
        "in stray: KeyError",
        "ZeroDivisionError",
        "IndexError",
        "in the thread worker",
        "said of ••••",
    ):
        assert said in log
    assert "not ours" not in log
    assert SECRET not in log
    assert threading.excepthook is not faults._from_thread


BEGINNERS = {
    "create_task", "ensure_future", "set_interval", "set_timer", "run_worker", "call_later", "call_soon",
    "call_soon_threadsafe", "call_after_refresh", "call_next", "add_done_callback",
    "Thread", "run_in_executor",
}  # fmt: skip
"""What begins something beside the caller, who no longer catches what it raises."""

KEPT = {
    # Whose failure comes to the one who waits for it:
    "journal/store.py run_in_executor": "awaited",
    "monitor/http/prober.py ensure_future": "awaited by each request",
    "monitor/link.py create_task": "awaited",
    "monitor/stripe/client.py ensure_future": "awaited by each request",
    "net/race.py create_task": "awaited",
    "steps/http.py create_task": "awaited",
    "steps/runner.py create_task": "awaited",
    "steps/runner.py ensure_future": "awaited",
    "steps/shell.py create_task": "awaited",
    "monitor/poller.py create_task": "`_lasting`, and asking gives a sample whatever happens",
    "net/lookup.py Thread": "hands over the failure as a value",
    "net/lookup.py call_soon_threadsafe": "sets a result",
    "sql/judging.py create_task": "awaited by whoever asks",
    # Whose failure is reported:
    "session/session.py create_task": "`Faults.guard`",
    "ui/program.py create_task": "`Faults.guard`",
    "journal/store.py create_task": "a failed backup is a note; else the loop's handler",
    "session/sql_view.py create_task": "the loop's handler",
    "ui/terminal/key_queue.py create_task": "the loop's handler; the next key begins it again",
    "ui/controllers/base.py run_worker": "`ConsoleProgram.worker_changed`",
    "ui/program.py set_interval": "each guards its parts",
    "ui/shell.py set_interval": "asks the terminal alone",
    "ui/shell.py call_after_refresh": "`Shell.begin` says why it cannot",
    "ui/controllers/steps.py set_timer": "draws, each part guarded",
    "ui/main/screen.py call_after_refresh": "draws, each part guarded",
    "ui/main/screen.py call_next": "mounts a page",
    "ui/main/panels.py call_after_refresh": "draws a panel that was mounted",
    "ui/widgets/rows.py call_after_refresh": "scrolls",
    "ui/shell.py call_next": "shows a sentence on a sheet",
    "ui/terminal/app.py call_soon_threadsafe": "ends the app",
    "ui/terminal/console_driver.py call_later": "the loop's handler",
    "ui/terminal/console_driver.py call_soon": "the loop's handler",
    "ui/terminal/console_driver.py call_soon_threadsafe": "the loop's handler",
    "ui/terminal/output.py call_soon": "the loop's handler",
    "ui/terminal/ending.py Thread": "ends the process",
    # Callbacks that cannot fail:
    "session/session.py add_done_callback": "a set's discard",
    "journal/store.py add_done_callback": "a set's discard",
    "monitor/poller.py add_done_callback": "a dictionary's pop",
    "ui/sheets/ask.py call_later": "sets an event",
    "ui/sheets/guard.py call_later": "sets an event",
    "ui/terminal/key_queue.py call_later": "sets an event",
}
"""Where something is begun, and who hears when it fails. A new line here wants a test above or in `ui/`."""


def test_nothing_is_begun_whose_failure_nobody_hears() -> None:
    found = set()
    for path in ROOT.rglob("*.py"):
        if "drill" in path.parts:
            continue  # the platform's process has no screen
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                if name in BEGINNERS:
                    found.add(f"{path.relative_to(ROOT).as_posix()} {name}")
    assert found - set(KEPT) == set()
    assert set(KEPT) - found == set()


def test_nothing_in_the_console_forgets_a_defect() -> None:
    """Suppressing `Exception` hides what nobody expected; closing what is broken anyway may do it."""
    allowed = {"database/session.py", "sql/writing.py", "monitor/sources/context.py", "faults.py"}
    allowed.add("ui/terminal/ending.py")  # the process ends in the next line
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "suppress"
        and any(isinstance(one, ast.Name) and one.id in {"Exception", "BaseException"} for one in node.args)
    }
    assert found <= allowed
