"""The journal as a console holds it: gone, replaced, held or damaged, nothing is lost and all is said."""

import asyncio
import contextlib
import errno
import fcntl
import os
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from isla_console.incident import commands
from isla_console.incident.record.events import Event
from isla_console.journal import local, store
from isla_console.journal.backup import backups
from isla_console.journal.local import LocalJournal
from isla_console.journal.place import JournalError
from isla_console.journal.reading import reading
from isla_console.journal.salvage import salvage, verify
from isla_console.journal.spool import spool, take_in, waiting
from isla_console.journal.store import JournalStore
from tests.incident.story import ANA, Story, at
from tests.journal.support import filled, note, notes, overwrite, sql
from tests.support.waiting import until


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "RETRY_S", 0.05)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "state" / "journal.sqlite3"


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[JournalStore]:
    found = JournalStore(path)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


def on_disk(path: Path) -> set[str]:
    with reading(path) as journal:
        assert journal.damaged == ()
        return {event.id for _, event in journal.since(0)}


def ids(events: list[Event]) -> set[str]:
    return {event.id for event in events}


async def looks(*consoles: JournalStore) -> None:
    """What each console's timer does, twice, so that each sees what the others wrote."""
    for _ in range(2):
        for console in consoles:
            await console.refresh()
            await asyncio.sleep(0.06)


@pytest.mark.parametrize("how", ["rm", "mv", "rm -r", "replaced by an empty one", "replaced by another"])
async def test_a_journal_that_is_gone_is_noticed_and_written_again(
    path: Path, tmp_path: Path, how: str
) -> None:
    story = Story()
    other = filled(tmp_path / "other.sqlite3", 2)
    async with opened(path) as one, opened(path) as two:
        assert await one.record([*story.events, note(story, "before")])
        await looks(one, two)
        if how == "rm":
            path.unlink()
        elif how == "mv":
            path.rename(tmp_path / "away")
        elif how == "rm -r":
            for file in path.parent.iterdir():
                file.unlink()
            path.parent.rmdir()
        elif how == "replaced by an empty one":
            (tmp_path / "empty").touch()
            (tmp_path / "empty").replace(path)
        else:
            (tmp_path / "other.sqlite3").replace(path)
        assert await one.refresh()
        (said,) = one.saved.notes
        assert ("was replaced" if "replaced" in how else "was moved or deleted") in said
        assert str(path) in said
        assert await two.record([note(story, "after")])
        await looks(one, two)
        assert one.saved.pending == two.saved.pending == 0
        count = 2 if how == "replaced by another" else 1
        assert [len(console.incidents) for console in (one, two)] == [count, count]
        assert one.incident(story.incident.id) == two.incident(story.incident.id)
        known = {event.id for incident in one.incidents for event in incident.timeline}
        assert known <= on_disk(path)
        if how == "replaced by another":
            assert ids(other) <= on_disk(path)
    assert verify(path).problem == ""


async def test_what_is_written_into_a_file_that_is_gone_is_not_called_saved(path: Path) -> None:
    story = Story()
    async with opened(path) as console:
        await console.record(story.events)
        path.unlink()
        late = note(story, "late")
        assert await console.record([late])
        assert late.id in on_disk(path)
        assert ids(story.events) <= on_disk(path)


async def test_a_new_console_does_not_read_the_log_of_the_one_that_is_gone(path: Path) -> None:
    story = Story()
    async with opened(path) as old:
        await old.record([*story.events, *notes(story, 50, 400)])
        path.unlink()
        assert path.with_name("journal.sqlite3-wal").stat().st_size
        async with opened(path) as new:
            assert new.incidents == []
            await new.record([note(story, "of the new console")])
            await looks(old, new)
            assert old.incident(story.incident.id) == new.incident(story.incident.id)
            assert len(on_disk(path)) == 52
    assert verify(path).problem == ""


async def test_the_old_file_that_comes_back_is_taken_again(path: Path, tmp_path: Path) -> None:
    story = Story()
    async with opened(path) as console:
        await console.record(story.events)
        path.rename(tmp_path / "away")
        await console.refresh()
        await console.record([note(story, "meanwhile")])
        (tmp_path / "away").replace(path)
        await console.refresh()
        await console.record([note(story, "later")])
        assert len(console.incidents[0].timeline) == 3
        assert len(on_disk(path)) == 3
    assert verify(path).problem == ""


@contextlib.contextmanager
def held(path: Path) -> object:  # type: ignore[misc]
    """Another program holds the journal."""
    with sql(path) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield holder
        holder.execute("ROLLBACK")


async def test_a_journal_that_was_held_at_the_start_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = filled(path)
    monkeypatch.setattr(store, "OPEN_S", 0.05)
    monkeypatch.setattr(local, "_BUSY_MS", 20)
    console = JournalStore(path)
    with sql(path) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("PRAGMA journal_mode = DELETE")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError, match="another program"):
            await console.open()
        assert console.problem.endswith("; it is tried again")
        assert not await console.refresh()
        assert console.problem
        holder.execute("ROLLBACK")
    assert await until(console.refresh)
    assert console.problem == ""
    assert len(console.incidents[0].timeline) == len(events)
    await console.close()


async def test_a_place_that_could_not_be_written_is_tried_again(path: Path) -> None:
    path.parent.write_text("a file where the directory should be")
    console = JournalStore(path)
    with pytest.raises(JournalError):
        await console.open()
    assert "File exists" in console.problem
    path.parent.unlink()
    assert await until(console.refresh)
    story = Story()
    assert await console.record(story.events)
    await console.close()
    assert on_disk(path) == ids(story.events)


async def test_a_damaged_journal_is_shown_as_far_as_it_goes_and_taken_up_when_salvaged(path: Path) -> None:
    events = filled(path, 100, size=500)
    overwrite(path, 40960, 50000)
    console = JournalStore(path)
    with pytest.raises(JournalError, match="damaged"):
        await console.open()
    assert "isla-console journal salvage" in console.problem
    shown = len(console.incidents[0].timeline)
    assert 1 < shown < len(events)
    assert any("set aside: entry" in said for said in console.saved.notes)
    salvage(path)
    assert await until(console.refresh)
    assert console.problem == ""
    assert await console.record([note(Story(), "goes on")])
    await console.close()
    assert len(on_disk(path)) == shown + 1


async def test_a_damaged_row_is_set_aside_named_and_counted(path: Path) -> None:
    events = filled(path)
    with sql(path) as other:
        other.execute("UPDATE events SET data = '{}' WHERE id IN (?, ?)", (events[1].id, events[3].id))
    async with opened(path) as console:
        assert len(console.incidents[0].timeline) == 2
        (said,) = console.saved.notes
        assert said.startswith(f"set aside: entry 2 (id {events[1].id}")
        assert "and 1 more. isla-console journal verify lists all" in said


async def test_an_incident_that_cannot_be_folded_is_set_aside_and_the_others_live(path: Path) -> None:
    story = Story()
    alien = Event(**{**{n: getattr(note(story, "x"), n) for n in Event.__slots__}, "incident": "inc-other"})
    with LocalJournal.open(path) as journal:
        journal.append([*story.events, alien])
    async with opened(path) as console:
        assert [incident.id for incident in console.incidents] == [story.incident.id]
        assert console.saved.notes == ("set aside: inc-other, 1 entries: it has none that declares it",)


async def test_the_end_of_an_incident_is_backed_up(path: Path) -> None:
    story = Story()
    async with opened(path) as console:
        await console.record(story.events)
        assert backups(path) == []
        await console.record(commands.cancel(story.incident, "a drill", author=ANA, now=at("14:05")))
        await until(lambda: backups(path))
    (copy,) = backups(path)
    assert len(on_disk(copy)) == 2


async def test_a_reason_goes_when_it_is_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    async with opened(path) as console:
        await console.record(story.events)
        real = LocalJournal.changed

        def held_for_a_moment(self: LocalJournal) -> bool:
            raise JournalError("another program holds the journal")

        monkeypatch.setattr(LocalJournal, "changed", held_for_a_moment)
        await console.refresh()
        assert console.saved.reason
        monkeypatch.setattr(LocalJournal, "changed", real)
        await console.refresh()
        assert console.saved.reason == ""


# What cannot be saved when the console has to end.


async def unsaved(path: Path, monkeypatch: pytest.MonkeyPatch, events: list[Event]) -> store.Unsaved:
    """A console that ends while another program holds the journal."""
    monkeypatch.setattr(local, "_BUSY_MS", 20)
    console = JournalStore(path)
    await console.open()
    with sql(path) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert not await console.record(events)
        assert console.unsaved == tuple(events)
        left = await console.close()
        holder.execute("ROLLBACK")
    return left


async def test_what_was_not_saved_is_spooled_and_taken_in_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story()
    filled(path)
    late = [*story.events, note(story, "one"), note(story, "two Übung")]
    left = await unsaved(path, monkeypatch, late)
    spooled = Path(left.place)
    assert (left.events, spooled.parent) == (tuple(late), path.parent)
    assert spooled.stat().st_mode & 0o777 == 0o600
    assert "another program holds the journal" in left.reason
    async with opened(path) as console:
        assert console.saved.notes == ("3 entries that could not be saved before were taken in",)
        assert not spooled.exists()
        count = len(on_disk(path))
    async with opened(path) as console:
        assert console.saved.notes == ()
        assert len(on_disk(path)) == count == 7
    assert ids(late) <= on_disk(path)


async def test_what_waits_outlives_a_console_that_is_killed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = filled(path)
    monkeypatch.setattr(local, "_BUSY_MS", 20)
    console = JournalStore(path)
    await console.open()
    with sql(path) as holder:
        holder.execute("BEGIN IMMEDIATE")
        first, second = notes(Story(), 2)
        assert not await console.record([first])
        assert not await console.record([second])
        (kept,) = waiting(path)
        assert kept.read_text().count("\n") == 2
        assert not await console.refresh()
        assert waiting(path) == [kept]
        holder.execute("ROLLBACK")
    # It goes no further: the console was killed. The next one takes them in.
    async with opened(path):
        assert waiting(path) == []
        assert on_disk(path) == ids([*events, first, second])
    # Had it lived on, nothing would have been doubled.
    assert await console.refresh() or not console.unsaved
    assert len(on_disk(path)) == len(events) + 2
    await console.close()


async def test_what_waited_and_is_saved_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    monkeypatch.setattr(local, "_BUSY_MS", 20)
    async with opened(path) as console:
        with sql(path) as holder:
            holder.execute("BEGIN IMMEDIATE")
            assert not await console.record(notes(Story(), 1))
            assert len(waiting(path)) == 1
            holder.execute("ROLLBACK")
        assert await console.refresh()
        assert waiting(path) == []


async def test_in_a_hurry_nobody_waits_for_who_holds_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    monkeypatch.setattr(local, "_BUSY_MS", 3000)
    console = JournalStore(path)
    await console.open()
    with sql(path) as holder:
        holder.execute("BEGIN IMMEDIATE")
        events = notes(Story(), 2)
        recording = asyncio.create_task(console.record(events))
        await until(lambda: console.unsaved)
        left = await console.close(in_hurry=True)
        assert not recording.done()
        holder.execute("ROLLBACK")
    assert left.events == tuple(events)
    assert Path(left.place).read_text().count("\n") == 2
    await recording
    async with opened(path):
        assert len(on_disk(path)) == 6


async def test_where_the_state_directory_takes_nothing_another_does(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    real = os.open

    def full(name: object, *more: object, **named: object) -> int:
        if "unsaved" in str(name) and str(path.parent) in str(name):
            raise OSError(28, "No space left on device")
        return real(name, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", full)
    left = await unsaved(path, monkeypatch, notes(Story(), 2))
    assert Path(left.place).parent == tmp_path / "tmp"
    assert waiting(path) == [Path(left.place)]
    assert waiting(tmp_path / "elsewhere" / "journal.sqlite3") == []
    async with opened(path):
        assert waiting(path) == []
        assert len(on_disk(path)) == 6


async def test_where_nothing_takes_them_they_are_still_handed_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    real = os.open

    def full(name: object, *more: object, **named: object) -> int:
        if "unsaved" in str(name):
            raise OSError(28, "No space left on device")
        return real(name, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", full)
    events = notes(Story(), 2)
    left = await unsaved(path, monkeypatch, events)
    assert (left.events, left.place) == (tuple(events), "")
    assert "No space left on device" in left.reason


def test_taking_in_may_be_cut_off_and_done_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = notes(Story(), 5)
    place = spool(path.parent.mkdir() or path, events)
    with LocalJournal.open(path) as journal:

        def cut(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", cut)
            with pytest.raises(KeyboardInterrupt):
                take_in(journal)
        assert place.exists()
        assert take_in(journal).new == 0
        assert not place.exists()
        assert len(journal.since(0)) == 5


def test_a_line_that_is_no_event_is_kept_and_said(path: Path) -> None:
    path.parent.mkdir()
    place = spool(path, notes(Story(), 2))
    place.write_text(place.read_text() + "cut off")
    with LocalJournal.open(path) as journal:
        taken = take_in(journal)
    assert taken.new == 2
    (kept,) = path.parent.glob("*.refused.jsonl")
    assert str(kept) in taken.said[1]
    assert waiting(path) == []


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.EACCES])
def test_what_cannot_be_read_stays_and_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path.parent.mkdir()
    place = spool(path, notes(Story(), 2))
    with LocalJournal.open(path) as journal:

        def refuses(self: Path, *_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", refuses)
            taken = take_in(journal)
        assert (taken.new, place.exists()) == (0, True)
        assert taken.said == (
            f"entries that could not be saved before stay in {place}: {os.strerror(number)}",
        )
        assert take_in(journal).new == 2


def test_what_is_being_written_is_left_to_its_writer_while_that_lives(path: Path) -> None:
    path.parent.mkdir()
    place = spool(path, notes(Story(), 2))
    whole = place.read_bytes()
    with LocalJournal.open(path) as journal:
        with place.open("wb") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            writer.write(whole[:-5])
            writer.flush()
            assert take_in(journal).said == ()
            assert place.exists()
        # The lock goes with the process that held it: what a killed console wrote is taken in.
        assert take_in(journal).new == 1
    assert len(list(path.parent.glob("*.refused.jsonl"))) == 1


def test_writing_aside_and_taking_in_at_the_same_time_loses_nothing(path: Path) -> None:
    path.parent.mkdir()
    events = notes(Story(), 300)
    with LocalJournal.open(path) as journal:
        over = threading.Event()

        def take() -> None:
            while not over.is_set():
                take_in(journal)

        taker = threading.Thread(target=take)
        taker.start()
        try:
            for one in events:
                spool(path, [one])
        finally:
            over.set()
            taker.join()
        take_in(journal)
        assert {event.id for _, event in journal.since(0)} == ids(events)
    assert waiting(path) == []


def test_without_a_directory_for_temporary_files_the_other_place_is_enough(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    path.parent.mkdir()
    place = spool(path, notes(Story(), 1))
    assert waiting(path) == [place]
    place.unlink()
    path.parent.rmdir()
    with pytest.raises(JournalError, match="No such file or directory"):
        spool(path, notes(Story(), 1))


def test_what_another_user_or_a_link_left_is_not_taken_in(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    place = spool(path, notes(Story(), 1))
    link = place.with_name(place.name.replace("-unsaved-", "-unsaved-1"))
    link.symlink_to(tmp_path / "tmp" / "secret")
    assert waiting(path) == [place]
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
        assert waiting(path) == []


def test_sqlite_is_what_it_was_when_this_was_written() -> None:
    """STRICT tables, and a log that is not deleted by who has a journal open that was moved."""
    assert sqlite3.sqlite_version_info >= (3, 37)


async def test_what_is_recorded_is_kept_though_its_task_is_cut_off(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console that ends cancels what waits for a slow disk: the write under way, and those behind it."""
    story = Story()
    free = threading.Event()
    append = LocalJournal.append

    def slow(journal: LocalJournal, events: Sequence[Event]) -> int:
        free.wait()
        return append(journal, events)

    monkeypatch.setattr(LocalJournal, "append", slow)
    kept = JournalStore(path)
    await kept.open()
    events = [note(story, text) for text in ("one", "two", "three")]
    tasks = [asyncio.create_task(kept.record([found])) for found in events]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    free.set()
    await kept.close()
    assert on_disk(path) == ids(events)
