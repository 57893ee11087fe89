"""A pool that is right by construction: the model, with threads around it that are advanced one step at a time.

Written from the spec's machines and the model's `step`, without a line of the checkers, so that histories of it are a
test of them. Every thread is a generator that yields wherever another one may go on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import poolmodel
from poolmodel.machine import NotEnabled
from poolmodel.state import Config, Event, Slot, State, count, initial, live
from poolproof.conformance.history import Call, Entry, History, Outcome, Queued, Return
from poolproof.conformance.history.events import DONE, Kind

REFUSALS = {
    "REFUSE-CLOSED": Outcome("PoolClosed"),
    "REFUSE-EMPTY": Outcome("PoolEmpty"),
    "REFUSE-BUSY": Outcome("PoolBusy"),
    "REFUSE-TIMEOUT": Outcome("AcquireTimeout"),
}
Thread = Iterator[bool]  # yields whether it waits


@dataclass
class Simulated:
    """The pool, and what was recorded of it. A *deaf* one is wrong: some waiters never learn what became of them."""

    config: Config
    random: Random
    deaf: bool = False
    state: State = field(init=False)
    entries: list[Entry] = field(default_factory=list)
    fates: dict[int, Outcome] = field(default_factory=dict)
    resources: dict[int | None, int] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    ops: int = 0
    slots: int = 0
    made: int = 0
    errors: int = 0

    def __post_init__(self) -> None:
        self.state = initial(self.config)

    # The model.

    def step(self, row: str, **about: Any) -> bool:
        """The model's step, if it is enabled."""
        self.slots += 1
        new = {"slot": self.slots + 10_000} if row == "REFILL" else {}
        before = self.state
        try:
            event = Event(row, new_slot=self.slots, **{**new, **about})
            self.state, _ = poolmodel.step(before, self.config, event)
        except NotEnabled:
            return False
        if row == "CLOSE":
            self.fates |= {ticket: Outcome("PoolClosed") for ticket in before.queue}
        return True

    def held(self, ticket: int) -> Slot | None:
        return next((slot for slot in self.state.slots if slot.holder == ticket), None)

    def slot(self, number: int) -> Slot | None:
        return next((slot for slot in self.state.slots if slot.number == number), None)

    # Entries.

    def call(self, thread: str, kind: Kind, **what: Any) -> int:
        self.ops += 1
        self.entries.append(Call(self.ops, thread, kind, **what))
        return self.ops

    def end(self, op: int, outcome: Outcome = DONE) -> None:
        self.entries.append(Return(op, outcome))

    # Operations.

    def acquire(self, thread: str, timeout: float | None, leases: list[int]) -> Thread:
        kind: Kind = "try_acquire" if timeout == 0 else "acquire"
        op = self.call(thread, kind, timeout=timeout)
        yield False
        rows = [*REFUSALS, "QUEUE"]
        rows.insert(2, "GRANT-FREE")
        if timeout != 0:
            rows.remove("REFUSE-TIMEOUT")
        row = next(row for row in rows if self.step(row, ticket=op))
        outcome = REFUSALS.get(row)
        if outcome is None:
            outcome = yield from self.wait(thread, op, timeout)
        yield False
        self.abandon_builds()
        if kind == "try_acquire" and outcome.kind in ("AcquireTimeout", "PoolBusy"):
            outcome = Outcome("nothing")
        self.end(op, outcome)
        if outcome.kind == "lease":
            leases.append(op)

    def wait(self, thread: str, op: int, timeout: float | None) -> Generator[bool, None, Outcome]:
        """The ticket waits, or was granted at once: see what becomes of it."""
        if self.deaf and op in self.state.queue and self.random.random() < 0.5:
            while True:
                yield True
        seen, patience = self.random.random() < 0.3, 0 if timeout == 0 else self.random.randrange(12)
        while True:
            yield op in self.state.queue
            slot, build = self.held(op), self.build_for(op)
            if slot is not None:
                outcome = yield from self.granted(thread, op, slot)
                if outcome is not None:
                    return outcome
            elif op in self.fates:
                return self.fates[op]
            elif build is not None:
                yield from self.create(thread, build)
            elif timeout is not None and patience == 0:
                self.step("WITHDRAW", ticket=op)
                return Outcome("AcquireTimeout")
            elif seen:
                seen = False
                self.entries.append(Queued(op))
            patience = max(0, patience - 1)

    def build_for(self, op: int) -> Slot | None:
        return next((slot for slot in self.state.slots if slot.bound == op and slot.number not in self.begun), None)

    def abandon_builds(self) -> None:
        """Whoever stops waiting gives up the build that it has not begun."""
        for slot in self.state.slots:
            if slot.state == "creating" and slot.bound is None and slot.number not in self.begun:
                self.step("BUILD-ABANDONED", slot=slot.number)

    def granted(self, thread: str, op: int, slot: Slot) -> Generator[bool, None, Outcome | None]:
        """The ticket has a slot; with a check, only if that passes. An outcome, or None to look again."""
        resource = self.resources[slot.number]
        lease = Outcome("lease", resource)
        if not self.config.check:
            return lease
        check = self.call(thread, "check", resource=resource)
        yield False
        good = self.random.random() < 0.7
        self.end(check, Outcome("good" if good else "bad"))
        yield False
        if self.held(op) is None:  # revoked meanwhile
            return Outcome("PoolClosed" if self.state.phase != "open" else "LeaseRevoked")
        if good:
            return lease
        refused = None
        if not self.step("CHECK-FAILED", slot=slot.number):
            refused = Outcome("CheckFailed" if self.state.phase == "open" else "PoolClosed")
            self.step("CHECK-REFUSED", slot=slot.number)
        yield False
        yield from self.destroy(thread, slot.number)
        return refused

    def create(self, thread: str, slot: Slot) -> Thread:
        self.begun.add(slot.number)
        op = self.call(thread, "create")
        yield False
        if self.random.random() < 0.2:
            self.errors += 1
            error = Outcome("raised", error=self.errors)
            self.end(op, error)
            yield False
            now = self.slot(slot.number)
            if now is not None and now.bound is not None:
                self.fates[now.bound] = error
                self.step("BUILD-FAILED", slot=slot.number)
            else:
                self.step("BUILD-LOST", slot=slot.number)
            return
        self.made += 1
        self.resources[slot.number] = self.made
        self.end(op, Outcome("resource", self.made))
        yield False
        if not self.step("BUILD-OK", slot=slot.number):
            self.step("BUILD-LATE", slot=slot.number)
            yield False
            yield from self.destroy(thread, slot.number)

    def destroy(self, thread: str, number: int) -> Thread:
        op = self.call(thread, "destroy", resource=self.resources[number])
        yield False
        self.end(op)
        yield False
        self.step("DESTROYED", slot=number)

    def reset(self, thread: str, number: int) -> Thread:
        if self.state.phase == "open":
            op = self.call(thread, "reset", resource=self.resources[number])
            yield False
            good = self.random.random() < 0.8
            self.errors += not good
            self.end(op, DONE if good else Outcome("raised", error=self.errors))
            yield False
            if good and self.step("RESET-OK", slot=number):
                return
        self.step("RESET-FAILED", slot=number)
        yield False
        yield from self.destroy(thread, number)

    def finish(self, thread: str, kind: Kind, lease: int) -> Thread:
        """Release, discard or detach."""
        op = self.call(thread, kind, lease=lease)
        yield False
        slot = self.held(lease)
        if slot is None:
            yield False
            self.end(op, Outcome("LeaseRevoked" if -lease in self.fates else "StaleLease"))
            return
        number = slot.number
        rows = {"release": ("RELEASE", "RELEASE-RESET", "DISCARD"), "discard": ("DISCARD",), "detach": ("DETACH",)}
        row = next(row for row in rows[kind] if self.step(row, slot=number))
        yield False
        if row == "RELEASE-RESET":
            yield from self.reset(thread, number)
        elif row == "DISCARD":
            yield from self.destroy(thread, number)
        yield False
        self.end(op, Outcome("resource", self.resources[number]) if kind == "detach" else DONE)

    def tend(self, thread: str) -> Thread:
        """Take over what nobody owns."""
        while True:
            work = [s for s in self.state.slots if s.state in ("returning", "discarded") and not s.owned]
            if not work:
                return
            self.step("ADOPT", slot=work[0].number)
            yield False
            yield from self.destroy(thread, work[0].number)

    def resize(self, thread: str, limit: int | None) -> Thread:
        op = self.call(thread, "resize", limit=limit)
        yield False
        while not self.step("RESIZE", limit=limit):
            if self.state.phase != "open":
                self.end(op, Outcome("PoolClosed"))
                return
            self.step("RESIZE", limit=live(self.state) + 1)
            yield False
        yield from self.tend(thread)
        yield False
        self.end(op)

    def expire_all(self, thread: str) -> Thread:
        op = self.call(thread, "expire_all")
        yield False
        if not self.step("RENEW"):
            self.end(op, Outcome("PoolClosed"))
            return
        yield from self.tend(thread)
        yield False
        self.end(op)

    def add(self, thread: str) -> Thread:
        self.made += 1
        resource = self.made
        op = self.call(thread, "add", resource=resource)
        yield False
        number = self.slots + 20_000
        if self.step("ADD", slot=number):
            self.resources[number] = resource
            outcome = DONE
        else:
            outcome = Outcome("PoolClosed" if self.state.phase != "open" else "PoolFull")
        yield False
        self.end(op, outcome)

    def stats(self, thread: str) -> Thread:
        op = self.call(thread, "stats")
        yield False
        told = {"free": count(self.state, "free"), "waiting": len(self.state.queue), "live": live(self.state)}
        yield False
        self.end(op, Outcome("told", values=tuple(sorted(told.items()))))

    def close(self, thread: str, grace: float | None, force: bool) -> Thread:
        op = self.call(thread, "close", timeout=grace, force=force)
        yield False
        self.step("CLOSE")
        yield from self.tend(thread)
        while grace is None and not force and self.state.phase == "closing":
            yield True
        while force and (held := [s for s in self.state.slots if s.state == "checked_out"]):
            holder, number = held[0].holder, held[0].number
            assert holder is not None
            self.fates[-holder] = DONE
            self.fates[holder] = Outcome("lease", self.resources[number])
            self.step("REVOKE", slot=number)
            yield False
            yield from self.destroy(thread, number)
        closed = self.state.phase == "closed"
        yield False
        self.end(op, Outcome("told", values=(("closed", closed),)))

    # Running.

    def client(self, thread: str, rounds: int, leases: list[int], closes: bool) -> Thread:
        """One thread: random operations, and at the end it gives back what it holds."""
        random = self.random
        for _ in range(rounds):
            mine = [each for each in leases if self.held(each) is not None]
            kinds: list[Callable[[], Thread]] = [lambda: self.acquire(thread, random.choice([None, 5, 0]), leases)] * 5
            if mine:
                kinds = [
                    lambda: self.finish(thread, random.choice(["release", "release", "discard", "detach"]), mine[0])  # noqa: B023
                ] * 6
            elif leases and random.random() < 0.2:
                kinds.append(lambda: self.finish(thread, "release", random.choice(leases)))
            kinds += [lambda: self.stats(thread)]
            if random.random() < 0.15:
                kinds = [lambda: self.resize(thread, random.choice([1, 2, 3])), lambda: self.expire_all(thread)]
                kinds += [lambda: self.add(thread)] * (not self.config.factory or random.random() < 0.5)
            yield from random.choice(kinds)()
        for each in leases:
            if self.held(each) is not None:
                yield from self.finish(thread, "release", each)
        if closes:
            yield from self.close(thread, random.choice([0.0, None]), random.random() < 0.3)

    def run(self, threads: dict[str, Thread]) -> None:
        """Advance threads at random until each is over, or waits for good."""
        waiting: dict[str, int] = {}
        while threads:
            name = self.random.choice(sorted(threads))
            try:
                blocked = next(threads[name])
            except StopIteration:
                del threads[name]
                waiting.clear()
                continue
            waiting[name] = waiting.get(name, 0) + 1 if blocked else 0
            if all(waiting.get(each, 0) > 30 for each in threads):
                return
            if not blocked:
                waiting.clear()


def simulate(config: Config, random: Random, threads: int = 3, rounds: int = 3, deaf: bool = False) -> History:
    """The history of a random run."""
    pool = Simulated(config, random, deaf)
    clients: dict[str, Thread] = {}
    for number in range(threads):
        name = "ABCDEFGH"[number]
        clients[name] = pool.client(name, random.randrange(1, rounds + 1), [], random.random() < 0.15)
    pool.run(clients)
    return History(config, tuple(pool.entries))
