"""A commit that was struck: begun, it is finished, and whoever it wakes is woken; another's is left alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from environment.rig import Thread, reached
from poolproof.core.values import EMPTY_LEDGER, FREE, PlainRecord, Record, Slot, State, Ticket
from poolproof.runtime.threads import ThreadAtom

OLD, NEW = (State(version, (), (), EMPTY_LEDGER) for version in (0, 1))


class Parker:
    """Counts its wake-ups."""

    def __init__(self) -> None:
        self.woken = 0

    def unpark(self) -> None:
        self.woken += 1


class Struck:
    """A commit of one slot with one waiter to wake, as far as it came."""

    def __init__(self) -> None:
        self.atom = ThreadAtom(OLD)
        self.before: PlainRecord = Record(FREE, 0, 0.0, None, 0, None)
        self.after: PlainRecord = Record(FREE, 1, 0.0, None, 0, None)
        self.slot = Slot(1, 0, self.before)
        self.parker = Parker()
        self.ticket = Ticket(1, None, self.parker)

    def recover(self, done: bool) -> None:
        self.atom.recover(NEW, ((self.slot, self.after),), (self.ticket,), done)

    @property
    def outcome(self) -> tuple[bool, int]:
        """Whether the register was written, and how often the waiter was woken."""
        return self.slot.record is self.after, self.parker.woken

    @property
    def locked(self) -> bool:
        """Whether another thread finds the lock taken."""
        found: list[bool] = []
        lock: Any = self.atom.leave.__self__  # type: ignore[attr-defined]

        def look() -> None:
            found.append(not lock.acquire(blocking=False))
            if not found[0]:
                lock.release()

        Thread(look).join()
        return found[0]


@pytest.fixture
def struck() -> Struck:
    return Struck()


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE")
def test_struck_before_anything_was_written_it_did_not_happen(struck: Struck) -> None:
    next(struck.atom.turns)
    struck.recover(done=False)
    assert (False, 0) == struck.outcome
    assert not struck.locked


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "PROMPT-GRANT")
@pytest.mark.parametrize("done", [False, True], ids=["behind the state", "before the lock is given back"])
def test_struck_after_the_state_was_written_it_is_finished(struck: Struck, done: bool) -> None:
    next(struck.atom.turns)
    struck.slot.record = struck.after
    struck.atom.value = NEW
    struck.recover(done)
    assert (True, 1) == struck.outcome
    assert struck.atom.value is NEW
    assert not struck.locked


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "PROMPT-GRANT")
@pytest.mark.parametrize("written", [0, 1])
def test_struck_between_the_registers_it_is_finished(struck: Struck, written: int) -> None:
    other = Slot(2, 0, struck.before)
    moves = ((struck.slot, struck.after), (other, Record(FREE, 2, 0.0, None, 0, None)))
    next(struck.atom.turns)
    moves[written][0].record = moves[written][1]
    struck.atom.recover(NEW, moves, (struck.ticket,))
    assert (True, 1) == struck.outcome
    assert (2, NEW) == (other.record[1], struck.atom.value)
    assert not struck.locked


@pytest.mark.clause("PROMPT-GRANT", "ASYNC-EXCEPTION-SAFE")
def test_struck_after_the_lock_was_given_back_it_still_wakes(struck: Struck) -> None:
    struck.recover(done=True)
    assert (False, 1) == struck.outcome, "the registers are no longer ours to write"
    assert not struck.locked


@pytest.fixture
def other(struck: Struck) -> Iterator[None]:
    """Another thread is in the middle of the very same commit of another step."""

    def commit() -> None:
        next(struck.atom.turns)
        entered.set()
        reached(leave)
        struck.atom.leave()

    entered, leave = threading.Event(), threading.Event()
    thread = Thread(commit)
    reached(entered)
    yield
    leave.set()
    thread.join()


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "EXCLUSIVE")
@pytest.mark.usefixtures("other")
def test_struck_on_the_way_to_the_lock_it_leaves_the_owner_of_the_lock_alone(struck: Struck) -> None:
    struck.atom.value = NEW
    struck.recover(done=False)
    assert (False, 0) == struck.outcome
    assert struck.locked
