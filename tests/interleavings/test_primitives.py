"""What the scheduler puts in the place of locks does what locks do: the same script, the same results.

A script is drawn once and run on the real primitives and on those of the scheduler. Both are used by one thread at a
time, so that a script has one result; what only several threads can show is the business of the uncontrolled tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolproof.conformance.checking import quiet
from poolproof.conformance.crew import Crew
from poolproof.conformance.points import GRAINS, Grain, ScheduledRuntime
from poolproof.conformance.runs import RUN_ON
from poolproof.core.values import EMPTY_LEDGER, Record, Slot, State, Ticket, TicketRecord
from poolproof.runtime import ThreadRuntime

WORDS = st.lists(
    st.one_of(
        st.tuples(st.just("unpark"), st.integers(0, 1)),
        st.tuples(st.just("park"), st.integers(0, 1)),
        st.tuples(st.just("commit"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("section"), st.integers(0, 3)),
    ),
    max_size=12,
)


def states() -> list[State]:
    return [State(version, (), (), EMPTY_LEDGER) for version in range(4)]


def perform(runtime: Any, script: list[tuple[Any, ...]]) -> list[object]:
    """Run *script* and say what every word came to, and what the registers hold afterwards."""
    known = states()
    atom = runtime.atom(known[0])
    parkers = [runtime.parker() for _ in range(2)]
    slot = Slot(1, 0, Record("free", 0, 0.0, None, 0, None))
    tickets = [Ticket(number, None, parkers[number]) for number in range(2)]
    told: list[object] = []
    for number, (word, *rest) in enumerate(script):
        if word == "unpark":
            told.append(parkers[rest[0]].unpark())
        elif word == "park":
            told.append(parkers[rest[0]].park(0.0))
        elif word == "commit":
            moves = ((slot, Record("free", number, 0.0, None, 0, None)), (tickets[0], TicketRecord("waiting")))
            told.append(atom.commit(known[rest[0]], known[number % 4], moves[: rest[1]], tuple(tickets[: rest[1]])))
        else:
            told.append(section(atom, known[rest[0]], known[number % 4], slot, number))
        told += [known.index(atom.value), slot.record[1], tickets[0].record.state]
    return [*told, *(parker.park(0.0) for parker in parkers)]


def section(atom: Any, old: State, new: State, slot: Slot, uses: int) -> bool:
    """The commit as the pool writes it out for itself."""
    for _ in atom.turns:
        if atom.value is old:
            atom.value = new
            slot.record = Record("free", uses, 0.0, None, 0, None)
            atom.leave()
            return True
        atom.leave()
        break
    return False


def in_a_crew(script: Callable[[ScheduledRuntime], list[object]], grain: Grain) -> list[object]:
    crew, told = Crew(1), list[object]()
    try:
        with quiet():
            crew.start([lambda: told.extend(script(ScheduledRuntime(crew, grain=grain)))], RUN_ON)
        assert crew.workers[0].error is None
    finally:
        crew.dismiss()
    return told


@pytest.mark.parametrize("grain", GRAINS)
@given(script=WORDS)
def test_same_script_same_results(grain: Grain, script: list[tuple[Any, ...]]) -> None:
    expected = perform(ThreadRuntime(), script)
    assert expected == in_a_crew(lambda runtime: perform(runtime, script), grain)


def test_script_tells_another_parker_apart() -> None:
    """The comparison bites: a parker that counts its wake-ups is found by two of them."""

    class Counting:
        def __init__(self) -> None:
            self.tokens = 0

        def park(self, timeout: float | None) -> bool:
            self.tokens, had = max(0, self.tokens - 1), self.tokens > 0
            return had

        def unpark(self) -> None:
            self.tokens += 1

    class CountingRuntime(ThreadRuntime):
        def parker(self) -> Any:
            return Counting()

    script = [("unpark", 0), ("unpark", 0), ("park", 0)]
    assert perform(ThreadRuntime(), script) != perform(CountingRuntime(), script)


def test_sleep_ends_by_a_wake_up_or_when_its_time_is_up() -> None:
    """One sleeps, the other wakes it or does not: as many outcomes as with real locks, and no other."""
    crew, told = Crew(2), list[bool]()
    runtime = ScheduledRuntime(crew)
    try:
        for wakes in (True, False):
            parker = runtime.parker()

            def wake(parker: Any = parker, wakes: bool = wakes) -> None:
                if wakes:
                    parker.unpark()

            crew.start([lambda parker=parker: told.append(parker.park(1.0)), wake], RUN_ON)  # type: ignore[misc]
    finally:
        crew.dismiss()
    assert told == [True, False]
    assert crew.now == 1.0
