"""Safety: tickets."""

from __future__ import annotations

from poolproof.conformance.suite.actors import Broken, raise_in, unsignal
from poolproof.conformance.suite.stage import NotShown, Outcome, Stage, Watched, scenario
from poolproof.conformance.suite.strikes import Interrupt


@scenario("WAIT-FIFO", needs=("fifo", "max_size"))
def waiters_are_served_in_order(stage: Stage) -> str:
    """Three threads wait, each seen to sleep before the next one comes; they are served in that order."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    calls = [stage.waiter(pool, name) for name in ("B", "C", "D")]
    who = "A"
    while calls:
        stage.does(pool, who, "release", held)
        if not stage.finished(calls[0]) and (over := [call for call in calls if call.over]):
            raise Broken(f"{over[0].actor.name} was served before {calls[0].actor.name}, who had waited for longer")
        held = stage.leased(pool, calls[0])
        who = calls.pop(0).actor.name
    stage.does(pool, who, "release", held)
    return "3 waiters"


@scenario("WAIT-FIFO", needs=("fifo", "max_size", "timeouts"))
def newcomer_does_not_overtake(stage: Stage) -> str:
    """B waits. A releases and asks again at once, without waiting: it is B's turn, so A must get nothing."""
    for _ in range(5):
        pool = stage.pool(max_size=1)
        held = stage.lease(pool, "A")
        waiter = stage.waiter(pool, "B")

        def again(pool: Watched = pool, held: Outcome = held) -> Outcome:
            pool.stage.note("A", "release, and at once acquire(0)")
            pool.end_here("release", held)
            return pool.acquire_here(0.0)

        outcome = pool.ended(stage.actor("A").start("release and acquire", again))
        if outcome.kind == "lease":
            raise Broken(f"A released {outcome.resource} and got it again at once, while B was waiting for it")
        stage.does(pool, "B", "release", stage.leased(pool, waiter))
    return "5 rounds"


@scenario("ONE-OUTCOME", needs=("timeouts", "max_size"))
def timeout_races_with_release(stage: Stage) -> str:
    """A deadline passes at about the moment of a release. Either B has the lease, or it is there for the next one."""
    rounds = 60 * stage.effort
    pool = stage.pool(max_size=1)
    for _ in range(rounds):
        held = stage.lease(pool, "A")
        call = pool.start("B", "acquire", stage.random.uniform(0.0005, 0.004))
        call.done.wait(stage.random.uniform(0.0, 0.004))
        stage.does(pool, "A", "release", held)
        outcome = pool.ended(call)
        if outcome.kind == "lease":
            stage.does(pool, "B", "release", outcome)
        elif outcome.kind == "timeout":
            stage.does(pool, "C", "release", stage.lease(pool, "C"))
        else:
            raise Broken(f"B: {call.what} ended with {outcome}")
        del stage.lines[:]
    return f"{rounds} races, seed {stage.seed}"


@scenario("GRANT-STANDS", needs=("async-exceptions", "max_size"))
def cancelled_waiter_leaves_nothing_behind(stage: Stage) -> str:
    """An exception is due in a thread that sleeps in acquire, then the resource is released: nobody loses it."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    waiter = stage.waiter(pool, "B")
    raise_in(waiter.actor.thread, Interrupt)
    stage.note("B", "Interrupt is due")
    stage.does(pool, "A", "release", held)
    try:
        outcome = pool.ended(waiter)
    finally:
        unsignal()
    if outcome.kind == "lease":
        stage.does(pool, "B", "release", outcome)
    elif not isinstance(outcome.error, Interrupt):
        raise NotShown(f"the waiter ended with {outcome}")
    del outcome, waiter, held
    stage.all_there(pool, 1)
    return "1 waiter"


@scenario("WAIT-BOUND", needs=("max_waiting", "max_size", "timeouts"))
def too_many_waiters_are_refused(stage: Stage) -> str:
    """With max_waiting 1, the second waiter is refused; once the first has timed out, the next may wait again."""
    pool = stage.pool(max_size=1, max_waiting=1)
    held = stage.lease(pool, "A")
    first = stage.waiter(pool, "B", 0.3)
    second = pool.start("C", "acquire", 8.0)
    if stage.blocked(second) or pool.ended(second).kind == "lease":
        raise Broken("C waits although max_waiting is 1 and B waits already")
    stage.refused(pool, first, "timeout")
    third = stage.waiter(pool, "D", 8.0)
    stage.does(pool, "A", "release", held)
    stage.does(pool, "D", "release", stage.leased(pool, third))
    return "bound 1"


@scenario("CHECK-KEEPS-TURN", needs=("check",))
def bad_resource_costs_no_turn(stage: Stage) -> str:
    """The only free resource fails its check: the acquire that met it gets another one, and no error."""
    for error in (False, True):
        pool = stage.pool(max_size=1, check=True)
        held = stage.lease(pool, "A")
        stage.does(pool, "A", "release", held)
        if error:
            pool.check.raises(OSError("gone"))
        else:
            pool.check.then.append(lambda: False)
        other = stage.lease(pool, "B")
        if other.resource is held.resource:
            raise Broken(f"{held.resource} was lent although its check failed")
        stage.does(pool, "B", "release", other)
    return "false, and an exception"


@scenario("CLOSE-REFUSES", needs=("close", "max_size"))
def close_refuses_waiters_and_newcomers(stage: Stage) -> str:
    """Two threads wait when the pool is closed: both are refused at once, and so is whoever comes later."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    waiters = [stage.waiter(pool, name) for name in ("B", "C")]
    close = pool.start("D", "close")
    for call in waiters:
        stage.refused(pool, call, "closed")
    stage.does(pool, "A", "release", held)
    pool.ended(close)
    stage.refused(pool, pool.start("E", "acquire", None), "closed")
    return "2 waiters, 1 newcomer"


@scenario("CLOSE-FINAL", needs=("close", "create"))
def late_create_is_not_lent(stage: Stage) -> str:
    """The pool is closed while a create runs: what it returns is not lent, and is destroyed."""
    pool = stage.pool(max_size=1)
    gate = pool.create.stops()
    call = pool.start("A", "acquire", None)
    stage.must_reach(gate, call, "create")
    close = pool.start("B", "close")
    stage.blocked(close)
    gate.open.set()
    outcome = stage.refused(pool, call, "closed")
    pool.ended(close)
    if stage.has("destroy") and not stage.waits(lambda: len(pool.gone) == len(pool.things)):
        raise Broken(f"the resource that was created late was never destroyed; its acquire ended with {outcome}")
    return "1 create"


@scenario("CLOSE-FINAL", needs=("close",))
def released_after_close_is_not_lent(stage: Stage) -> str:
    """A resource that comes back after the close is destroyed, and not lent."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    close = pool.start("B", "close")
    stage.blocked(close)
    stage.does(pool, "A", "release", held)
    pool.ended(close)
    stage.refused(pool, pool.start("C", "acquire", 0.0 if stage.has("timeouts") else None), "closed")
    if stage.has("destroy") and not stage.waits(lambda: id(held.resource) in pool.gone):
        raise Broken(f"{held.resource} came back after the close, and was never destroyed")
    return "1 resource"
