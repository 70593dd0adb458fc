"""What holds a backup or a restore up, on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from isla_console.actions import backup
from isla_console.drill.run import Platform
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from tests.actions.support import shell_step
from tests.support.platform import running_platform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("backup")) as running:
        yield running


async def fresh(platform: Platform, name: str) -> str:
    """The address of a new, empty database."""
    admin = await asyncpg.connect(platform.admin_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {name}")
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    return platform.admin_url.rpartition("/")[0] + f"/{name}"


def test_which_steps_they_are() -> None:
    runbook = load_runbook(resource("runbook.yaml")).runbook
    kinds = {step.id: kind for step in runbook.all_steps() if (kind := backup.kind_of(step))}
    assert kinds == {"recovery-backup": "backup", "recovery-restore": "restore"}
    assert backup.kind_of(shell_step("psql --file x.sql", connect="X")) == "restore"
    assert backup.kind_of(shell_step("psql -c 'select 1'", connect="X")) == ""


@pytest.mark.slow
async def test_before_a_backup(platform: Platform, tmp_path: Path) -> None:
    url, file = platform.admin_url, tmp_path / "b.dump"
    look = await backup.before_backup(url, str(file), path="/nonexistent")
    assert look.refused == ""
    assert "MiB" in look.lines[0]
    assert f"are free in {tmp_path}" in look.lines[1]
    file.write_text("x")
    assert "never overwrites" in (await backup.before_backup(url, str(file))).refused
    assert "no folder" in (await backup.before_backup(url, "/no/such/b.dump")).refused
    other = str(tmp_path / "c.dump")
    assert "5432" in (await backup.before_backup("postgresql://a@127.0.0.1:6543/x", other)).refused
    closed = await backup.before_backup("postgresql://a:hunter22@127.0.0.1:1/x", other)
    assert closed.refused
    assert "hunter22" not in closed.refused
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    old.chmod(0o755)
    assert "older than the server" in (await backup.before_backup(url, other, path=str(tmp_path))).refused


@pytest.mark.slow
async def test_before_and_after_a_restore(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "b.dump"
    empty = await fresh(platform, "empty_one")
    assert "no file" in (await backup.before_restore(empty, platform.admin_url, str(file))).refused
    file.write_text("x")
    look = await backup.before_restore(empty, platform.admin_url, str(file))
    assert (look.refused, look.lines[0]) == ("", "the target is empty: 0 tables, 0 rows")
    # Another role of the same database is still the same database.
    readonly = platform.environ["ISLA_DATABASE_URL"]
    assert "production" in (await backup.before_restore(platform.admin_url, readonly, str(file))).refused
    assert "not empty" in (await backup.before_restore(platform.admin_url, empty, str(file))).refused
    assert "no table" in (await backup.after_restore(empty)).refused
    filled = await asyncpg.connect(empty)
    await filled.execute('CREATE TABLE "we""ird \'name" AS SELECT generate_series(1, 3)')
    await filled.close()
    after = await backup.after_restore(empty)
    assert after.lines == ("1 tables after the restore", "public.we\"ird 'name: 3 rows")
