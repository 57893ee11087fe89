"""Environment: collector, signals, forks, exceptions out of the blue, the end of the process."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from poolproof.conformance.suite.actors import Broken, NotApplicable, NotShown
from poolproof.conformance.suite.stage import Outcome, Stage, Watched, scenario
from poolproof.conformance.suite.stillness import Sleeper, pause
from poolproof.conformance.suite.strikes import Interrupt, Strike, codes_of, require_trace

POINTS = 70  # of each operation; more with more effort


class Situation(NamedTuple):
    """In what a pool is struck: an operation, and how many slots, leases, free resources and waiters there are."""

    operation: str
    size: int
    held: int
    free: int = 0
    waits: bool = False

    def __str__(self) -> str:
        return f"{self.operation}{' of a free one' * bool(self.free)}{' to a waiter' * self.waits}"


BUILD, TAKE = Situation("acquire", 2, 1), Situation("acquire", 2, 1, free=1)
RELEASE, HAND_OVER = Situation("release", 2, 2), Situation("release", 2, 2, waits=True)


class Struck:
    """A pool in the middle of whose operation something happens."""

    def __init__(self, stage: Stage, situation: Situation) -> None:
        self.stage = stage
        self.size = situation.size
        self.pool = stage.pool(max_size=situation.size)
        self.pool.counts_live = False  # what a strike cut off before it was recorded never counted
        self.held = [stage.lease(self.pool, "A") for _ in range(situation.held + situation.free)]
        for _ in range(situation.free):
            stage.does(self.pool, "A", "release", self.held.pop())
        self.waiter = stage.waiter(self.pool, "W") if situation.waits else None

    def run(self, operation: str, action: Callable[[Struck], object], nth: int | None) -> Strike:
        """Run the operation, with the action at its nth point."""
        require_trace()
        pool = self.pool
        strike = Strike(lambda: action(self), nth, codes_of(pool.adapter))

        lease = self.held.pop() if operation != "acquire" else None
        call = self.stage.actor("A").start(operation, partial(self.struck, operation, strike, lease))
        call.works = 30.0
        try:
            outcome = pool.ended(call)
            if outcome.kind == "lease":
                self.stage.does(pool, "A", "release", outcome)
            # Whoever is struck in a release cannot know whether it took effect, and may try again.
            unsure = lease if isinstance(outcome.error, Interrupt) else None
            call = outcome = lease = None  # type: ignore[assignment]
            self.settle(operation, unsure)
        except Broken as error:
            where = (
                "" if strike.struck is None else f"; this happened at point {nth} of {operation}, in {strike.struck}"
            )
            raise Broken(f"{error}{where}") from None
        return strike

    def struck(self, operation: str, strike: Strike, lease: Outcome | None) -> Outcome:
        """The operation, in the thread that does it."""
        note = self.stage.note
        note("A", f"{operation}, and in the middle of it:")
        outcome: Outcome = strike.run(self.operation(operation, lease))
        note("A", f"→ {outcome}")
        return outcome

    def operation(self, name: str, lease: Outcome | None) -> Callable[[], Outcome]:
        return lambda: self.pool.acquire_here(None) if lease is None else self.pool.end_here(name, lease)

    def settle(self, operation: str, unsure: Outcome | None) -> None:
        """Give back what is held; then the whole capacity can be lent."""
        stage, pool = self.stage, self.pool
        for lease in self.held:
            stage.does(pool, "A", "release", lease)
        self.held.clear()
        gc.collect()
        if stage.has("maintain"):
            stage.does(pool, "A", "maintain")
        if self.waiter is not None:
            if unsure is not None and stage.blocked(self.waiter):
                pool.ask("A", f"{operation} again", unsure)
                unsure = None
            stage.does(pool, "W", "release", stage.leased(pool, self.waiter))
        stage.note("(world)", f"now {self.size} leases should be there")
        calls = [pool.start(f"all{number}", "acquire", None) for number in range(self.size)]
        stage.settled(calls)
        if unsure is not None and not all(call.over for call in calls):
            pool.ask("A", f"{operation} again", unsure)
        for call in calls:
            stage.leased(pool, call)
        for call in calls:
            stage.does(pool, call.actor.name, "release", call.value)


def everywhere(stage: Stage, situations: list[Situation], action: Callable[[Struck], object]) -> str:
    """Strike each operation at every point, or at evenly spread ones."""
    told, total = [], 0
    for situation in situations:
        operation = situation.operation
        points = Struck(stage, situation).run(operation, action, None).points
        step = max(1, -(-points // (POINTS * stage.effort * stage.effort)))
        chosen = range(0, points, step)
        for nth in chosen:
            del stage.lines[:]
            subject = Struck(stage, situation)
            subject.run(operation, action, nth)
            stage.done_with(subject.pool)
        told.append(f"{situation}: {len(chosen)} of {points} points")
        total += points
    if not total:
        raise NotShown("no code of the pool was reached that can be traced: it is compiled, or the standard library's")
    return "; ".join(told)


@scenario("ASYNC-EXCEPTION-SAFE", needs=("async-exceptions", "create"))
def exception_at_every_point(stage: Stage) -> str:
    """An exception strikes acquire or release, at every point where it might: no capacity is lost for good."""

    def action(subject: Struck) -> None:
        subject.stage.note("A", "an exception out of the blue")
        raise Interrupt

    discard = [Situation("discard", 2, 2)] if stage.has("discard") else []
    return everywhere(stage, [TAKE, BUILD, RELEASE, HAND_OVER, *discard], action)


@scenario("GC-SAFE", needs=("gc",))
def finalizer_releases_at_every_point(stage: Stage) -> str:
    """The collector runs a finalizer that releases another lease, in the middle of acquire and release."""

    def action(subject: Struck) -> None:
        if subject.held:
            subject.stage.note("A", "a finalizer releases another lease")
            subject.pool.end_here("release", subject.held.pop())

    others = [Situation("acquire", 3, 1, free=1), Situation("acquire", 3, 1), Situation("release", 3, 2)]
    return everywhere(stage, [*others, HAND_OVER], action)


@scenario("SIGNAL-SAFE", needs=("signals", "timeouts"))
def handler_uses_the_pool_at_every_point(stage: Stage) -> str:
    """A signal handler acquires without waiting and releases, in the middle of acquire and release."""

    def action(subject: Struck) -> None:
        subject.stage.note("A", "a signal handler acquires and releases")
        lease = subject.pool.acquire_here(0.0)
        if lease.kind == "lease":
            subject.pool.end_here("release", lease)

    return everywhere(stage, [TAKE, BUILD, RELEASE, HAND_OVER], action)


@scenario("LEASE-ABANDONED", needs=("abandoned-leases", "max_size"))
def forgotten_lease_gives_its_slot_back(stage: Stage) -> str:
    """A acquires and forgets the lease, which is collected: the pool can lend its whole capacity again."""
    pool = stage.pool(max_size=1)

    def forget() -> None:
        pool.stage.note("A", "acquire, and forget the lease")
        outcome = pool.acquire_here(None)
        pool.holders.clear()
        if outcome.lease is outcome.resource:
            raise NotApplicable("a lease is the resource itself")

    pool.ended(stage.actor("A").start("acquire and forget", forget))
    gc.collect()
    if stage.has("maintain"):
        stage.does(pool, "B", "maintain")
    stage.all_there(pool, 1)
    return "1 lease"


@scenario("COLLECTABLE", needs=("collectable",))
def forgotten_pool_is_collected(stage: Stage) -> str:
    """Nobody refers to the pool any more: it is collected, and its free resources are destroyed, each once."""
    pool = stage.pool(max_size=2)
    stage.all_there(pool, 2)
    stage.pools.remove(pool)
    stage.note("(world)", "the last reference to the pool is dropped")
    gone = forgotten(pool)
    gc.collect()
    gc.collect()
    if not stage.waits(lambda: gone() is None):
        raise Broken("nobody refers to the pool any more, and it is not collected")
    if stage.has("destroy") and not stage.waits(lambda: len(pool.gone) == len(pool.things)):
        raise Broken(f"the pool was collected, and destroyed {len(pool.gone)} of its {len(pool.things)} free resources")
    pool.healthy()
    return "2 resources"


def forgotten(pool: Watched) -> Callable[[], object]:
    try:
        gone = weakref.ref(pool.adapter)
    except TypeError as error:
        raise NotShown("the adapter does not allow weak references") from error
    pool.adapter = None
    return gone


@scenario("THREADS-BOUNDED", needs=("bounded-threads",))
def no_thread_per_operation(stage: Stage) -> str:
    """After a hundred operations there are no more threads than after ten."""
    pool = stage.pool(max_size=2)
    for _ in range(5):
        stage.does(pool, "A", "release", stage.lease(pool, "A", 5.0 if stage.has("timeouts") else None))
    before = threading.active_count()
    for _ in range(45):
        stage.does(pool, "A", "release", stage.lease(pool, "A", 5.0 if stage.has("timeouts") else None))
    if not stage.waits(lambda: threading.active_count() <= before + 2):
        raise Broken(f"{threading.active_count() - before} more threads after 90 more operations")
    return "100 operations"


def fork(stage: Stage, child: Callable[[], str]) -> str:
    """What *child* says in a forked child; the child that hangs is killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, child().encode())
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(writing)
    try:
        os.set_blocking(reading, False)
        child_sleeps = Sleeper(pid, int(250 * stage.patience))
        while not (over := os.waitpid(pid, os.WNOHANG)[0] == pid) and not child_sleeps():
            pause()
        if not over:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            raise Broken("in the forked child, acquire and release never return")
        return os.read(reading, 1000).decode()
    finally:
        os.close(reading)


def alone(pool: Watched, known: dict[int, Any]) -> str:
    """What is wrong with the pool in a forked child; nothing if it says nothing."""
    destroyed = len(pool.gone)
    got = [pool.acquire_here(None) for _ in range(2)]
    for each in got:
        if each.kind != "lease":
            return f"acquire ended with {each}"
        if id(each.resource) in known:
            return f"{each.resource} of the parent was lent in the child"
    for each in got:
        pool.end_here("release", each)
    return "" if destroyed == len(pool.gone) else "a resource of the parent was destroyed in the child"


@scenario("FORK-SAFE", needs=("fork", "create", "max_size"))
def child_gets_resources_of_its_own(stage: Stage) -> str:
    """The process forks while two resources are lent and a create runs: the child builds its own, and is not stuck."""
    if not hasattr(os, "fork"):
        raise NotShown("this platform has no fork")
    pool = stage.pool(max_size=3)
    free, held = stage.lease(pool, "A"), stage.lease(pool, "A")
    stage.does(pool, "A", "release", free)
    pool.create.then.append(gate := stage.gate())
    building = [pool.start("B", "acquire", None), pool.start("B2", "acquire", None)]
    stage.reached(gate, building[1])
    known = {id(each): each for each in pool.things}

    def child() -> str:
        pool.holders.clear()
        return alone(pool, known)

    said = stage.actor("A").start("fork", lambda: quietly(lambda: fork(stage, child)))
    if not said.done.wait(30 * stage.patience):
        raise NotShown("the fork itself did not return")
    if said.error is not None:
        raise said.error
    if said.value:
        raise Broken(f"after a fork: {said.value}")
    gate.open.set()
    for call in building:
        stage.does(pool, call.actor.name, "release", stage.leased(pool, call))
    stage.does(pool, "A", "release", held)
    stage.all_there(pool, 3)
    return "1 fork"


def quietly(function: Callable[[], Any]) -> Any:
    """Without the warning that a process with threads forks: that it does is the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return function()


EXIT = """
import sys
from poolproof.conformance.suite.adapter import PoolSpec, found
pool = found(sys.argv[1])(PoolSpec(create=object, max_size=2))
lease = pool.acquire(None)
pool.release(pool.acquire(None))
print("done", flush=True)
"""


@scenario("EXIT-FREE", needs=("exit",))
def process_ends(stage: Stage) -> str:
    """A process makes a pool, leaves a lease open and ends: it must not hang."""
    path = stage.subject.name
    if ":" not in path or "<" in path or path.startswith("__main__"):
        raise NotShown(f"{path} cannot be imported by another process")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    command = [sys.executable, "-W", "ignore", "-c", EXIT, path]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = process.communicate(timeout=6 * stage.patience)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        if "done" in output:
            raise Broken("the process had nothing left to do, and did not end") from None
        raise NotShown("the process did not come to its end in time") from None
    if "done" not in output:
        raise NotShown(f"the pool could not be made in another process: {errors.strip()[-200:]}")
    return "1 process"
