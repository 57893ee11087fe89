"""Safety: user code."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NoReturn

from poolproof.conformance.suite.actors import Broken
from poolproof.conformance.suite.stage import NotApplicable, Outcome, Stage, Watched, scenario
from poolproof.conformance.suite.strikes import Interrupt


def during(stage: Stage, pool: Watched, name: str, begin: Callable[[], Any]) -> str:
    """While a callback stands still, another thread asks for a lease, without waiting, and releases one."""
    spare = stage.lease(pool, "S")
    gate = getattr(pool, name).stops()
    call = begin()
    stage.reached(gate, call)
    if not gate.reached.is_set():
        gate.open.set()
        pool.ended(call)
        return "not called"
    pool.stage.note(call.actor.name, f"is in {name}, which takes its time")
    go_on(stage, pool, name, spare)
    gate.open.set()
    pool.ended(call)
    return "called"


def go_on(stage: Stage, pool: Watched, name: str, spare: Outcome) -> None:
    """What others do meanwhile."""
    others = [pool.start("B", "acquire", 0.0)] if stage.has("timeouts") else []
    for other in (*others, pool.start("B", "release", spare)):
        if not stage.finished(other):
            raise Broken(f"B: {other.what} waits for the {name} that another thread is running")
        pool.ended(other)


@scenario("NO-CALLS-UNDER-LOCK", needs=("create",))
def others_go_on_while_create_runs(stage: Stage) -> str:
    """While A's create takes its time, B acquires without waiting, and releases."""
    pool = stage.pool(max_size=3)
    return during(stage, pool, "create", lambda: pool.start("A", "acquire", None))


@scenario("NO-CALLS-UNDER-LOCK", needs=("destroy", "discard"))
def others_go_on_while_destroy_runs(stage: Stage) -> str:
    """While the destroy of what A discarded takes its time, B acquires without waiting, and releases."""
    pool = stage.pool(max_size=3)
    held = stage.lease(pool, "A")
    return during(stage, pool, "destroy", lambda: pool.start("A", "discard", held))


@scenario("NO-CALLS-UNDER-LOCK", needs=("reset",))
def others_go_on_while_reset_runs(stage: Stage) -> str:
    """While the reset of what A released takes its time, B acquires without waiting, and releases."""
    pool = stage.pool(max_size=3, reset=True)
    held = stage.lease(pool, "A")
    return during(stage, pool, "reset", lambda: pool.start("A", "release", held))


@scenario("NO-CALLS-UNDER-LOCK", needs=("check",))
def others_go_on_while_check_runs(stage: Stage) -> str:
    """While the check of what A is to get takes its time, B acquires without waiting, and releases."""
    pool = stage.pool(max_size=3, check=True)
    held = stage.lease(pool, "A")
    spare = stage.lease(pool, "S0")
    stage.does(pool, "A", "release", held)
    return during_check(stage, pool, spare)


def during_check(stage: Stage, pool: Watched, spare: Outcome) -> str:
    gate = pool.check.stops()
    call = pool.start("A", "acquire", None)
    stage.reached(gate, call)
    if gate.reached.is_set():
        go_on(stage, pool, "check", spare)
    gate.open.set()
    pool.ended(call)
    return "called" if gate.reached.is_set() else "not called"


@scenario("NO-CALLS-UNDER-LOCK", needs=("reentrant-callbacks", "create"))
def callbacks_may_use_the_pool(stage: Stage) -> str:
    """Create and destroy release and acquire at the same pool, in the same thread: nothing deadlocks."""
    pool = stage.pool(max_size=3)
    spare = stage.lease(pool, "A")
    pool.create.then.append(lambda: inside(pool, spare))
    stage.does(pool, "A", "release", stage.lease(pool, "A"))
    if stage.has("destroy", "discard"):
        other, held = stage.lease(pool, "A"), stage.lease(pool, "A")
        pool.destroy.then.append(lambda: inside(pool, other))
        stage.does(pool, "A", "discard", held)
    stage.all_there(pool, 3)
    return "create, destroy"


def inside(pool: Watched, lease: Outcome) -> None:
    """What a callback does: give back one lease, take one, and give it back."""
    pool.note("the callback releases and acquires")
    pool.end_here("release", lease)
    if "timeouts" in pool.subject.lacks:
        return
    again = pool.acquire_here(0.0)
    if again.kind == "lease":
        pool.end_here("release", again)


class Prickly:
    """A resource that must not be asked for anything."""

    __slots__ = ("asked",)

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    def _refuse(self, *_: object) -> NoReturn:
        self.asked.append("asked")
        raise RuntimeError("the pool asked a resource for its value")

    __eq__ = __ne__ = __bool__ = __len__ = __repr__ = __str__ = __lt__ = __iter__ = _refuse
    __hash__ = _refuse


class Equal:
    """Resources that are all equal to each other, and cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal)


def cycle(stage: Stage, makes: Callable[[int], Any]) -> Watched:
    """Two resources, both lent, both back, both lent again; and again after a discard."""
    pool = stage.pool(max_size=2)
    pool.makes = makes
    for _ in range(2):
        held = [stage.lease(pool, "A"), stage.lease(pool, "A")]
        for each in held:
            stage.does(pool, "A", "release", each)
    if len(pool.create.calls) > 2:
        raise Broken(f"create was called {len(pool.create.calls)} times for two leases at a time: a free one was lost")
    if stage.has("discard"):
        stage.does(pool, "A", "discard", stage.lease(pool, "A"))
        for each in [stage.lease(pool, "A"), stage.lease(pool, "A")]:
            stage.does(pool, "A", "release", each)
    if stage.has("close"):
        stage.does(pool, "A", "close")
    return pool


@scenario("IDENTITY-ONLY", needs=("odd-resources", "create", "max_size"))
def equal_resources_are_different(stage: Stage) -> str:
    """Resources that are all equal, and unhashable, are still two resources."""
    pool = cycle(stage, lambda _: Equal())
    if stage.has("close", "destroy") and (left := [each for each in pool.things if id(each) not in pool.gone]):
        raise Broken(f"{len(left)} of {len(pool.things)} equal resources were never destroyed")
    return "2 resources"


@scenario("IDENTITY-ONLY", needs=("odd-resources", "create", "max_size"))
def falsy_resources_are_resources(stage: Stage) -> str:
    """Resources that are empty, zero or false are lent and taken back like any other."""
    makes: tuple[Callable[[int], Any], ...] = (lambda _: [], lambda _: {}, lambda number: 0.0 * number, lambda _: "")
    for make in makes:
        cycle(stage, make)
    return "list, dict, 0.0, text"


@scenario("IDENTITY-ONLY", needs=("odd-resources", "create", "max_size"))
def none_is_a_resource(stage: Stage) -> str:
    """A create that returns None has made a resource, which is lent and taken back like any other."""
    cycle(stage, lambda number: None)
    return "None"


@scenario("RESOURCES-UNTOUCHED", needs=("odd-resources", "create", "max_size"))
def resources_are_asked_for_nothing(stage: Stage) -> str:
    """Resources whose comparison, hash, truth value, length and printed form raise; logging shows everything."""
    asked: list[str] = []
    before = logging.root.manager.disable, logging.root.level
    logging.disable(logging.NOTSET)
    logging.root.setLevel(logging.DEBUG)
    raising, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        cycle(stage, lambda _: Prickly(asked))
    finally:
        logging.disable(before[0])
        logging.root.setLevel(before[1])
        logging.raiseExceptions = raising
    if asked:
        raise Broken("the pool asked a resource for its value (comparison, hash, truth, length or printed form)")
    return "2 resources"


@scenario("ERRORS-UNCHANGED", needs=("errors-unchanged", "create"))
def error_of_create_reaches_the_caller(stage: Stage) -> str:
    """What create raises is what acquire raises: the same exception object."""
    pool = stage.pool(max_size=1)
    for error in (OSError("no connection"), LookupError("no such host"), TimeoutError("too slow")):
        pool.create.raises(error)
        outcome = stage.tries(pool, "A")
        if pool.create.then:
            raise NotApplicable("acquire does not call create")
        if outcome.error is not error:
            raise Broken(f"create raised {error!r}, and acquire ended with {outcome}")
    stage.all_there(pool, 1)
    return "3 errors"


@scenario("CANCELLATION-SURVIVES", needs=("create",))
def interruption_of_create_reaches_the_caller(stage: Stage) -> str:
    """A KeyboardInterrupt in create reaches the caller of acquire, and costs no capacity."""
    pool = stage.pool(max_size=1)
    error = pool.create.raises(KeyboardInterrupt())
    outcome = stage.tries(pool, "A")
    if pool.create.then:
        raise NotApplicable("acquire does not call create")
    if outcome.error is not error:
        raise Broken(f"create was interrupted, and acquire ended with {outcome}")
    stage.all_there(pool, 1)
    return "1 interruption"


@scenario("CANCELLATION-SURVIVES", needs=("reset",))
def interruption_of_reset_reaches_the_caller(stage: Stage) -> str:
    """A KeyboardInterrupt in reset reaches the caller of release, and costs no capacity."""
    pool = stage.pool(max_size=1, reset=True)
    held = stage.lease(pool, "A")
    error = pool.reset.raises(KeyboardInterrupt())
    outcome = pool.ask("A", "release", held)
    if pool.reset.calls and outcome.error is not error:
        raise Broken(f"reset was interrupted, and release ended with {outcome}")
    stage.all_there(pool, 1)
    return "1 interruption"


@scenario("FAULTS-CONTAINED", needs=("destroy", "discard"))
def error_of_destroy_stays_inside(stage: Stage) -> str:
    """Destroy raises an error: discard returns all the same, and the slot is free for another."""
    pool = stage.pool(max_size=1)
    for _ in range(2):
        held = stage.lease(pool, "A")
        pool.destroy.raises(OSError("cannot close"))
        stage.does(pool, "A", "discard", held)
    stage.all_there(pool, 1)
    return "2 failures"


@scenario("FAULTS-CONTAINED", needs=("reset",))
def error_of_reset_stays_inside(stage: Stage) -> str:
    """Reset raises an error: release returns all the same, the resource is not lent again, another one is."""
    pool = stage.pool(max_size=1, reset=True)
    held = stage.lease(pool, "A")
    pool.reset.raises(OSError("cannot reset"))
    stage.does(pool, "A", "release", held)
    other = stage.lease(pool, "B")
    if pool.reset.calls and other.resource is held.resource and len(pool.reset.calls) == 1:
        raise Broken(f"the reset of {held.resource} failed, and it was lent again without one")
    stage.does(pool, "B", "release", other)
    return "1 failure"


@scenario("CALLBACK-FAULTS", needs=("create", "max_size"))
def failing_create_costs_no_slot(stage: Stage) -> str:
    """Create fails five times, with errors and interruptions; then the whole capacity can be lent."""
    pool = stage.pool(max_size=2)
    kinds: tuple[type[BaseException], ...] = (OSError, ValueError, KeyboardInterrupt, Interrupt, SystemExit)
    for kind in kinds:
        pool.create.raises(kind("from create"))
        stage.tries(pool, "A")
    pool.create.then.clear()
    stage.all_there(pool, 2)
    return "5 failures"


@scenario("CALLBACK-FAULTS", needs=("destroy", "discard"))
def failing_destroy_costs_no_slot(stage: Stage) -> str:
    """Destroy fails, with an error and an interruption; then the whole capacity can be lent."""
    pool = stage.pool(max_size=2)
    for kind in (OSError, KeyboardInterrupt):
        pool.destroy.raises(kind("from destroy"))
        pool.ask("A", "discard", stage.lease(pool, "A"))
    stage.all_there(pool, 2)
    return "2 failures"


@scenario("CALLBACK-FAULTS", needs=("check",))
def failing_check_costs_no_slot(stage: Stage) -> str:
    """Check fails, with an error and an interruption; then the whole capacity can be lent."""
    pool = stage.pool(max_size=2, check=True)
    for kind in (OSError, KeyboardInterrupt):
        stage.all_there(pool, 2)
        pool.check.raises(kind("from check"))
        outcome = pool.ask("A", "acquire", None)
        if outcome.kind == "lease":
            stage.does(pool, "A", "release", outcome)
    stage.all_there(pool, 2)
    return "2 failures"
