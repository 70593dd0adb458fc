"""The console's clock: steady, and telling when the wall clock moves."""

from datetime import UTC, datetime, timedelta

from isla_console.clock import Clock

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


class Two:
    """A wall clock and a steady one that a test moves apart."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 100.0

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.steady)

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


def test_follows_the_steady_clock() -> None:
    two = Two()
    clock = two.clock()
    two.passes(60)
    two.wall += timedelta(hours=1)
    assert clock.now() == START + timedelta(seconds=60)


def test_a_jump_is_told_once() -> None:
    two = Two()
    clock = two.clock()
    two.passes(60)
    assert clock.jump() is None
    two.wall -= timedelta(hours=1)
    assert clock.jump() == timedelta(hours=-1)
    assert clock.jump() is None
    two.passes(600)
    assert clock.jump() is None


def test_a_small_step_is_none() -> None:
    two = Two()
    clock = two.clock()
    two.wall += timedelta(seconds=4)
    assert clock.jump() is None
