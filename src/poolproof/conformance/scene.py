"""One pool under observation: its clients, its resources with a memory, and everything that is judged on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from poolproof import Pool
from poolproof.conformance.clients import Client
from poolproof.conformance.crew import Crew, Endless
from poolproof.conformance.executors import CrewExecutor
from poolproof.conformance.judge import judge_step
from poolproof.conformance.lanes import rows, shown
from poolproof.conformance.points import OUTSIDE, Grain, ScheduledAtom, ScheduledRuntime, Who
from poolproof.conformance.programs import Operation, Program
from poolproof.conformance.words import ON_A_LEASE, WORDS
from poolproof.core.values import ABSENT, WITHDRAWN, PlainState, Record, Slot, State, Ticket
from poolproof.core.world import World, broken, world_of
from poolproof.filling import Filling
from poolproof.registry import Registry
from poolproof.runtime.base import Moves

PoolFactory = Callable[..., Pool[Any]]


class Finding(NamedTuple):
    """Something that must not be: the clause it breaks, and what happened."""

    clause: str
    what: str

    def __str__(self) -> str:
        return f"[{self.clause}] {self.what}"


class Boom(Exception):
    """What callbacks raise when the schedule says so."""


class Thing:
    """A resource that knows who uses it, and how often it was destroyed."""

    __slots__ = ("added", "destroyed", "number", "user")

    def __init__(self, number: int, added: bool) -> None:
        self.number = number
        self.added = added
        self.user: Client | None = None
        self.destroyed = 0


def ignore(_: object) -> None:
    return None


class Scene:
    """A pool with a program, run again and again. ``make`` builds the pool, so that a test may bring another."""

    def __init__(
        self, program: Program, grain: Grain = "all", make: PoolFactory = Pool, crew: Crew | None = None
    ) -> None:
        self.program = program
        self.grain: Grain = grain
        self.options = program.options
        self.make = make
        self.crew = Crew(len(program.threads)) if crew is None else crew
        self.judging = True
        self.judged: set[object] = set()
        self.pictures: set[object] = set()  # the world after every commit of a program
        self.events: list[Any] = []
        self.on_begin: Callable[[Client], object] = ignore
        self.on_history: Callable[[str, Client, Operation, str], object] | None = None
        words = {operation.word for each in program.threads for operation in each}
        self.may_revoke = "force" in words or "overdue" in words
        self.may_be_stale = bool(words & {"again", "end_of"}) or self.may_revoke
        self.interruptions = frozenset(["KeyboardInterrupt"] if self.options.strikes else [])
        # Times only matter where the clock moves.
        self.timed = bool(words & {"later", "overdue"}) or any(
            operation.number and operation.word in ("acquire", "acquire_reset", "with", "close")
            for each in program.threads for operation in each
        )  # fmt: skip
        self.executor = CrewExecutor(self.crew)
        self.pool: Pool[Any]
        self.renew()

    # Before each run.

    def renew(self) -> None:
        """A new pool."""
        self._forget()
        self.runtime = self.runtime_type(self.crew, self.watch, self.grain)
        options = self.options
        callbacks: dict[str, Any] = {"check": self.check} if options.check else {}
        if options.reset:
            callbacks["reset"] = self.reset
        if options.executor:
            callbacks["executor"] = self.executor
        if options.factory:
            callbacks["create"] = self.create
        self.pool = self.make(
            **callbacks, resources=self.given, destroy=self.destroy, max_size=options.size, min_size=options.min,
            order="fifo" if options.fifo else "lifo", max_waiting=None if options.waiting < 0 else options.waiting,
            when_empty="raise" if options.empty else "wait", max_uses=options.uses or None,
            max_free=options.free or None, max_lease=options.lease or None, revoke_overdue=bool(options.lease),
            observer=self.events.append if options.observed else None, name="pool", runtime=self.runtime,
        )  # fmt: skip
        self._begin()

    def again(self) -> None:
        """The same pool as it was new: nobody holds anything of it any more."""
        self._forget()
        driver = self.pool._driver
        driver.registry = Registry("pool")
        driver.trusts_executor = True
        driver.overdue = type(driver.overdue)()
        driver.start()
        Filling(driver, self.given).fill()
        self.pool._renew_atom()
        self._begin()

    def retire(self) -> None:
        """Let nothing of the old pool ever act again: nobody holds anything of it, and no commit is made."""
        self.atom.retire()
        for slot in self.slots.values():
            slot.record = Record(ABSENT, 0, 0.0, None, 0, None)
        for worker in self.crew.workers:
            worker.error = None
        for client in self.clients:
            client.latest = client.ended = None

    def _forget(self) -> None:
        self.crew.now = 0.0
        self.executor.begin()
        self.draining = False
        self.findings: list[Finding] = []
        self.faults_left = self.options.faults
        self.strikes_left = self.options.strikes
        self.building = 0
        self.created = self.gone = 0
        self.things: list[Thing] = []
        self.made = 0
        self.given = [self.new_thing(added=True) for _ in range(self.options.given)]
        self.events.clear()
        self.states: list[PlainState] = []
        self.slots: dict[int, Slot] = {}
        self.tickets: dict[Any, Ticket] = {}
        self.writers: dict[int, object] = {}

    def _begin(self) -> None:
        atom: Any = self.pool._driver.atom
        self.atom: ScheduledAtom = atom
        if self.options.strikes:
            self.atom.strike = self.strike
        self.states.append(self.atom.now)
        self.limit = self.atom.now[3].limit
        for slot in self.pool._driver.registry.all():
            self.slots[slot.number] = slot
        threads = self.program.threads
        self.clients = [Client(self, number, operations) for number, operations in enumerate(threads)]

    def prepare(self) -> None:
        """Give their leases to the threads that begin with the end of one."""
        for client in self.clients:
            if client.operations and client.operations[0].word in ON_A_LEASE:
                client.hold(self.pool.acquire(0))

    runtime_type = ScheduledRuntime

    # What callbacks do.

    def create(self) -> Thing:
        self._called("create")
        ledger = self.atom.now[3]
        existing = self.created + ledger.added - self.gone - ledger.detached
        if self.building + existing >= self.limit:
            self.report("CAPACITY", f"create was called while {existing} resources existed and {self.building} came")
        self.building += 1
        try:
            self._outcome("create")
            self.created += 1
            return self.new_thing(added=False)
        finally:
            self.building -= 1

    def destroy(self, thing: Thing) -> None:
        self._called("destroy")
        thing.destroyed += 1
        if thing.destroyed > 1:
            self.report("DESTROY-ONCE", f"resource {thing.number} was destroyed twice")
        user, thing.user = thing.user, None
        if user is not None and user.latest is not None and user.latest.held:
            self.report("EXCLUSIVE", f"resource {thing.number} was destroyed while its lease was held")
        try:
            self._outcome("destroy")
        finally:
            self.gone += 1

    def check(self, thing: Thing) -> bool:
        self._called("check")
        return self._outcome("check") != 3

    def reset(self, thing: Thing) -> None:
        self._called("reset")
        if thing.user is not None:
            self.report("EXCLUSIVE", f"resource {thing.number} was reset while it was used")
        self._outcome("reset")

    def _called(self, callback: str) -> None:
        """A callback begins: a point, and never inside of a commit."""
        if self.atom.inside:
            self.report("NO-CALLS-UNDER-LOCK", f"{callback} was called inside of a commit")
        self.crew.point()
        self.crew.stamp += 1
        self.crew.note(f"{callback}()")

    def _outcome(self, callback: str) -> int:
        """What the schedule has this callback do: return, raise, or call the pool."""
        count = 4 if callback == "check" else 3
        self.strike()
        chosen = self.crew.choose(count) if self.faults_left else 0
        if chosen:
            self.faults_left -= 1
            self.crew.note(f"{callback} {('', 'raises', 'calls the pool', 'says no')[chosen]}")
        if chosen == 1:
            raise Boom(callback)
        if chosen == 2:
            self._reenter()
        return chosen

    def strike(self) -> None:
        """Here an interruption may strike whoever runs, if the schedule says so."""
        if self.strikes_left and not self.draining and self.crew.choose(2):
            self.strikes_left -= 1
            self.crew.stamp += 1
            self.crew.note("is interrupted")
            raise KeyboardInterrupt

    def _reenter(self) -> None:
        worker = self.crew.running
        assert worker is not None
        worker.op += 100  # a lease got here is not to be taken for one of the operation around
        try:
            lease = self.pool.try_acquire()
            if lease is not None:
                lease.release()
        except Exception as error:
            if type(error).__name__ not in WORDS["try"][1]:
                self.report("ONE-OUTCOME", f"try_acquire in a callback raised {error!r}")
        finally:
            worker.op -= 100

    def new_thing(self, added: bool) -> Thing:
        thing = Thing(self.made, added)
        self.made += 1
        self.things.append(thing)
        return thing

    def thing(self, number: int) -> Thing | None:
        return next((thing for thing in self.things if thing.number == number), None)

    # What is noted and judged on the way.

    def begins(self, client: Client, operation: Operation) -> None:
        self.on_begin(client)
        self.crew.note(f"{operation} …")
        if self.on_history is not None:
            self.on_history("call", client, operation, "")

    def returned(self, client: Client, operation: Operation, result: str) -> None:
        self.crew.note(f"{operation} → {result}")
        ended = [who for who in self.tickets if who[0] == client.number]
        for who in ended:
            del self.tickets[who]
        if self.on_history is not None:
            self.on_history("return", client, operation, result)

    def report(self, clause: str, what: str) -> None:
        self.crew.note(f"✗ [{clause}]")
        self.findings.append(Finding(clause, what))

    def watch(self, old: PlainState, new: PlainState, moves: Moves) -> None:
        """A commit was made."""
        self.states.append(new)
        worker = self.crew.running
        alias = OUTSIDE if worker is None else Who(worker.number, worker.op)
        for cell, record in moves:
            if isinstance(cell, Slot):
                self.slots[cell.number] = cell
                if record[0] != "free" and record[0] != "checked_out":
                    self.writers[cell.number] = alias
            else:
                self.tickets[cell.who] = cell
                if record.build is not None:  # born with this commit, if it is new
                    self.slots[record.build.number] = record.build
        if new[3].limit > self.limit:
            self.limit = new[3].limit
        if self.crew.tape is not None:
            self.crew.note(", ".join(rows(old, new)) or "(no row)", shown(self))
        if self.judging:
            judge_step(self, old, new, moves)

    def world(self) -> World:
        """State and registers, as they are."""
        state = self.atom.now
        live = [slot for slot in self.slots.values() if slot.record[0] != ABSENT]
        return world_of(State.of(state), live)

    def broken(self) -> list[str]:
        return broken(self.world(), self.pool._driver.options)

    def any_state(self, since: int, holds: Callable[[PlainState, Any], bool], subject: object) -> bool:
        """Whether *holds* was true of the state at any moment since there were *since* of them."""
        return any(holds(state, subject) for state in self.states[since - 1 :])

    def explains(self, error: str, operation: Operation) -> bool:
        """Whether the run so far explains that an operation ended with this error, which is allowed in general."""
        if error == "PoolClosed":
            return bool(self.atom.now[3].phase != "open")
        if error == "AcquireTimeout":
            return operation.number is not None and self._withdrew()
        if error == "LeaseRevoked":
            return self.may_revoke
        if error == "StaleLease":
            return self.may_be_stale
        return error != "Boom" or self.options.faults > 0

    def _withdrew(self) -> bool:
        """Whether the ticket of the present operation gave up: a grant wins over a deadline."""
        worker = self.crew.running
        ticket = None if worker is None else self.tickets.get((worker.number, worker.op))
        if ticket is not None and ticket.record.state != WITHDRAWN:
            self.report("GRANT-STANDS", f"the deadline was reported although the ticket was {ticket.record.state}")
        return True

    # At the end of each run.

    def unended(self) -> list[Client]:
        """The clients whose latest lease is held."""
        return [each for each in self.clients if each.latest is not None and each.latest.held]

    def crashes(self) -> list[BaseException]:
        return [worker.error for worker in self.crew.workers if worker.error is not None]

    def endless(self) -> bool:
        return any(isinstance(error, Endless) for error in self.crashes())
