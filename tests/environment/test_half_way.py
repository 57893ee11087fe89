"""Threads that run at the same time, without an interpreter lock: one reads while another is half way through a commit.

The writer is stopped between two of its registers, in the critical section: no thread switch of CPython's can come
there, but on a free-threaded build it need not. Whatever was read meanwhile must not count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from environment.rig import Thread, reached
from poolproof import Pool, StaleLease, core
from poolproof.core.values import PlainState, State, Step, current_record


class Gate:
    """A register at which the writer stops."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Event(), threading.Event()
        self._record: Any = None

    @property
    def record(self) -> Any:
        return self._record

    @record.setter
    def record(self, record: Any) -> None:
        self.entered.set()
        reached(self.go_on)
        self._record = record


class HalfWay:
    """A pool with one lease out, whose atom commits with a stop when so many registers are written."""

    def __init__(self, written: int) -> None:
        self.written = written
        self.pool: Pool[object] = Pool(resources=[object()], name="half-way")
        self.lease = self.pool.acquire()
        self.atom: Any = self.pool._driver.atom
        self.gate = Gate()

    @property
    def version(self) -> int:
        return State.of(self.atom.value).version

    def commit(self, moves: tuple[tuple[Any, Any], ...], then: PlainState) -> None:
        moves = (*moves[: self.written], (self.gate, None), *moves[self.written :])
        assert self.atom.commit(self.atom.value, then, moves, ())

    def writer(self) -> Thread:
        """Revokes the lease."""
        driver, slot, record = self.pool._driver, self.lease._slot, self.lease._record

        def revoke() -> None:
            state, held = State.of(driver.atom.value), current_record(slot, record)
            assert held is not None
            step = core.revoke(state, driver.options, slot, held, 0.0)
            self.commit(step.moves, step.state)

        thread = Thread(revoke)
        reached(self.gate.entered)
        return thread


@pytest.fixture(params=[0, 1], ids=["before the register", "behind it"])
def scene(request: pytest.FixtureRequest) -> Iterator[HalfWay]:
    scene = HalfWay(request.param)
    writer = scene.writer()
    yield scene
    scene.gate.go_on.set()
    writer.join()


def reading(scene: HalfWay, read: Callable[[], Any]) -> Any:
    """What *read* says, called now, and answered only when the writer is through."""
    said: list[Any] = []
    answered = threading.Event()

    def reads() -> None:
        said.append(read())
        answered.set()

    reader = Thread(reads)
    assert not answered.wait(0.2), "it must wait for the end of the commit"  # a shorter wait would only be weaker
    scene.gate.go_on.set()
    reader.join()
    return said[0]


@pytest.mark.clause("SNAPSHOT-CONSISTENT")
def test_a_picture_is_of_one_state(scene: HalfWay) -> None:
    """The slot was checked out before and is discarded after; what is counted and what is seen agree."""
    world = reading(scene, scene.pool._driver.world)
    assert scene.version == world.state.version
    assert ["discarded"] == [record.state for _, record in world.slots]


@pytest.mark.clause("LEASE-ONCE", "STALE-UNCHANGED")
def test_nothing_to_do_counts_only_when_the_commit_is_through(scene: HalfWay) -> None:
    seen: list[int] = []

    def propose(state: State, now: float) -> Step | None:
        seen.append(state.version)
        return None

    assert reading(scene, lambda: scene.pool._driver.proposal(propose)) is None
    assert seen[-1] == scene.version


@pytest.mark.clause("ERRORS-UNCHANGED")
def test_an_error_counts_only_when_the_commit_is_through(scene: HalfWay) -> None:
    seen: list[int] = []

    def propose(state: State, now: float) -> Step | None:
        seen.append(state.version)
        if len(seen) == 1:
            raise IndexError("old and new do not fit together")
        return None

    assert reading(scene, lambda: scene.pool._driver.proposal(propose)) is None
    assert len(seen) == 2


@pytest.mark.clause("LEASE-ONCE", "LEASE-REVOKED")
def test_a_release_meanwhile_learns_that_it_came_too_late(scene: HalfWay) -> None:
    def release() -> str:
        try:
            scene.lease.release()
        except StaleLease as error:
            return type(error).__name__
        return "released"

    assert "LeaseRevoked" == reading(scene, release)
