"""What a scenario stands on: pools under watch, actors, and the expectations that it writes down.

@scenario("LEASE-ONCE", needs=("max_size",))
def second_release_changes_nothing(stage: Stage) -> str:
    "What is done, in one sentence, for the report."
    pool = stage.pool(max_size=2)
    ...
    return "2 releases"            # how far it was looked
"""

from __future__ import annotations

import contextlib
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from poolproof.conformance.suite.actors import Broken, Call, Gate, NotApplicable, NotShown, Troupe
from poolproof.conformance.suite.adapter import Subject
from poolproof.conformance.suite.watched import SHORT, Outcome, Thing, Watched

Play = Callable[["Stage"], str]


@dataclass(frozen=True)
class Scenario:
    """One thing that is tried on a pool, for one clause."""

    clause: str
    name: str
    chapter: str
    told: str
    needs: tuple[str, ...]
    play: Play

    @property
    def id(self) -> str:
        return f"{self.clause}:{self.name}"


ALL: list[Scenario] = []


def scenario(clause: str, *, needs: tuple[str, ...] = ()) -> Callable[[Play], Play]:
    """Register what follows as a scenario for a clause. *needs* are features without which it does not apply."""

    def register(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        told = " ".join((play.__doc__ or "").split())
        ALL.append(Scenario(clause, name, play.__module__.rpartition(".")[2], told, needs, play))
        return play

    return register


class Stage(Troupe):
    """One run of one scenario on one pool. *effort* is 1, more for those who ask for it."""

    def __init__(self, subject: Subject, seed: int, patience: float = 1.0, effort: int = 1) -> None:
        super().__init__(patience)
        self.subject = subject
        self.random = random.Random(seed)
        self.seed = seed
        self.effort = effort
        self.pools: list[Watched] = []

    def has(self, *features: str) -> bool:
        return self.subject.why_not(features) is None

    def pool(self, **wanted: Any) -> Watched:
        """A new pool."""
        pool = Watched(self, self.subject, wanted)
        self.pools.append(pool)
        call = self.actor("setup").start("make the pool", pool.make)
        if not self.finished(call):
            raise Broken(f"making the pool never returns; it stands in {self.whereabouts(call)}")
        if call.error is not None:
            raise Broken(f"making the pool raised {type(call.error).__name__}: {call.error}") from call.error
        return pool

    # Expectations.

    def lease(self, pool: Watched, who: str, timeout: float | None = None) -> Outcome:
        """Acquire, and expect a lease."""
        return self.leased(pool, pool.start(who, "acquire", timeout))

    def leased(self, pool: Watched, call: Call) -> Outcome:
        outcome = pool.ended(call)
        if outcome.kind != "lease":
            raise Broken(f"{call.actor.name}: {call.what} should have returned a lease, and ended with {outcome}")
        return outcome

    def does(self, pool: Watched, who: str, name: str, *arguments: Any) -> Outcome:
        """An operation that is expected to return."""
        outcome = pool.ask(who, name, *arguments)
        if outcome.kind not in ("done", "lease"):
            raise Broken(f"{who}: {name} should have returned, and raised {outcome}")
        return outcome

    def refused(self, pool: Watched, call: Call, *kinds: str) -> Outcome:
        """The end of an acquire that is expected to be refused in one of these ways."""
        outcome = pool.ended(call)
        if outcome.kind not in kinds:
            raise Broken(
                f"{call.actor.name}: {call.what} should have ended with {' or '.join(kinds)}, and got {outcome}"
            )
        return outcome

    def tries(self, pool: Watched, who: str) -> Outcome:
        """An acquire that may fail; a lease is given back at once."""
        outcome = pool.ask(who, "acquire", None)
        if outcome.kind == "lease":
            self.does(pool, who, "release", outcome)
        return outcome

    def must_reach(self, gate: Gate, call: Call, what: str) -> None:
        """Somebody stands at the gate; if nobody comes, the scenario does not concern this pool."""
        self.reached(gate, call)
        if not gate.reached.is_set():
            raise NotApplicable(f"{call.what} does not call {what}")

    def waiter(self, pool: Watched, who: str, timeout: float | None = None) -> Call:
        """Somebody who acquires and is seen to sleep."""
        call = pool.start(who, "acquire", timeout)
        if not self.blocked(call) and call.over:
            outcome = pool.ended(call)
            raise Broken(f"{who}: acquire should have waited, since nothing was to be had, and got {outcome}")
        self.note(who, "waits")
        return call

    def nothing_left(self, pool: Watched, who: str) -> None:
        """Expect that an acquire gets no lease now: at once if the pool knows timeouts, else by seeing it sleep."""
        if self.has("timeouts"):
            self.refused(pool, pool.start(who, "acquire", 0.0), "timeout")
            return
        call = pool.start(who, "acquire", None)
        self.blocked(call)
        pool.healthy()
        if call.over:
            raise Broken(f"{who}: acquire should have found nothing, and got {pool.ended(call)}")

    def all_there(self, pool: Watched, size: int, who: str = "all") -> list[Outcome]:
        """Expect that the pool can lend its whole capacity, and no more than that."""
        held = [self.lease(pool, f"{who}{number}") for number in range(size)]
        for one, lease in enumerate(held):
            self.does(pool, f"{who}{one}", "release", lease)
        return held

    def churn(self, pool: Watched, threads: int, turns: int, patience: float | None) -> None:
        """So many threads take so many turns: each acquires, holds for a moment or not, and releases."""
        start, never = threading.Barrier(threads), threading.Event()

        def work(chance: random.Random) -> None:
            start.wait(20)
            for _ in range(turns):
                held = pool.acquire_here(patience)
                if held.kind == "timeout" and patience is not None:
                    continue
                if held.kind != "lease":
                    raise Broken(f"an acquire ended with {held}")
                if chance.random() < 0.3:
                    never.wait(0.00005)
                ended = pool.end_here("release", held)
                if ended.kind != "done":
                    raise Broken(f"a release ended with {ended}")

        with restless():
            chances = [random.Random(f"{self.seed} {number}") for number in range(threads)]
            told = f"{turns} turns"
            calls = [
                self.actor(f"W{number}").start(told, lambda chance=chance: work(chance))  # type: ignore[misc]
                for number, chance in enumerate(chances)
            ]
            for call in calls:
                call.works = 30.0
                pool.ended(call)

    def done_with(self, pool: Watched) -> None:
        """Look at this pool once more; nothing more is done with it."""
        pool.healthy()
        self.pools.remove(pool)
        self.close(pool)

    def end(self) -> None:
        """Look once more, and leave."""
        try:
            for pool in self.pools:
                pool.healthy()
        finally:
            self.clear()

    def clear(self) -> None:
        """Let every thread go that can go."""
        for gate in self.gates:
            gate.open.set()
        while self.pools:
            self.close(self.pools.pop())
        self.leave()

    def close(self, pool: Watched) -> None:
        """Tidy up after a pool, whatever comes of it."""
        leases = [lease for _, lease in pool.holders.values()]
        pool.holders.clear()

        def give_back() -> None:
            if self.has("close"):
                pool.adapter.close()
            for lease in leases:
                with contextlib.suppress(Exception):
                    pool.adapter.release(lease)

        if pool.adapter is not None:
            self.actor("closing").start("close", give_back).done.wait(0.3)


@contextmanager
def restless() -> Iterator[None]:
    """Threads switch as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


__all__ = [
    "ALL",
    "SHORT",
    "Broken",
    "Call",
    "NotApplicable",
    "NotShown",
    "Outcome",
    "Scenario",
    "Stage",
    "Thing",
    "Watched",
    "restless",
    "scenario",
]
