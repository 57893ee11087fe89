"""Safety: time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from poolproof.conformance.suite.actors import Broken
from poolproof.conformance.suite.adapter import NONSENSE
from poolproof.conformance.suite.stage import Stage, scenario


@scenario("WAIT-DEADLINE", needs=("timeouts", "max_size"))
def deadline_ends_the_wait(stage: Stage) -> str:
    """Nothing is free: an acquire with a timeout ends with the timeout error, not before its time, and not never."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    for timeout in (0.03, 0.2):
        began = time.monotonic()
        stage.refused(pool, pool.start("B", "acquire", timeout), "timeout")
        if time.monotonic() - began < timeout * 0.8:
            raise Broken(f"acquire({timeout}) gave up after {time.monotonic() - began:.3f} s, before its deadline")
    stage.does(pool, "A", "release", held)
    stage.all_there(pool, 1)
    return "2 deadlines"


@scenario("WAIT-DEADLINE", needs=("timeouts",))
def no_timeout_beside_a_free_resource(stage: Stage) -> str:
    """Something is free, or may be built: an acquire with the shortest timeout gets it all the same."""
    for timeout in (0.0, 0.001):
        pool = stage.pool(max_size=2)
        held = [stage.lease(pool, "A", timeout), stage.lease(pool, "B", timeout)]
        stage.does(pool, "A", "release", held[0])
        stage.does(pool, "C", "release", stage.lease(pool, "C", timeout))
        stage.does(pool, "B", "release", held[1])
    return "built and free, 2 timeouts"


@scenario("TIMEOUT-VALUES", needs=("timeouts", "max_size"))
def zero_does_not_wait(stage: Stage) -> str:
    """Nothing is free: acquire(0) ends with the timeout error and is never seen to sleep; acquire(None) waits."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    for _ in range(3):
        stage.refused(pool, pool.start("B", "acquire", 0.0), "timeout")
    waiter = stage.waiter(pool, "C", None)
    stage.waits(lambda: waiter.over, 0.2)
    if waiter.over:
        raise Broken(f"acquire(None) should have waited without limit, and ended with {pool.ended(waiter)}")
    stage.does(pool, "A", "release", held)
    stage.does(pool, "C", "release", stage.leased(pool, waiter))
    return "0 and None"


@scenario("TIMEOUT-VALUES", needs=("timeouts", "timeout-validation", "max_size"))
def nonsense_is_refused(stage: Stage) -> str:
    """A negative timeout and NaN are refused with an error that is no timeout, whether something is free or not."""
    for taken in (False, True):
        pool = stage.pool(max_size=1)
        held = stage.lease(pool, "A") if taken else None
        for value in NONSENSE:
            call = pool.start("B", "acquire", value)
            outcome = pool.ended(call)
            if outcome.kind in ("lease", "timeout"):
                raise Broken(f"{call.what} should have been refused with ValueError, and ended with {outcome}")
        if held is not None:
            stage.does(pool, "A", "release", held)
        stage.all_there(pool, 1)
    return "-1 and NaN"


@scenario("CLOCK-ONLY", needs=("timeouts", "max_size"))
def wall_clock_may_jump(stage: Stage) -> str:
    """While B waits with a timeout the wall clock jumps, an hour forward and an hour back: the deadline stays."""
    for jump in (3600.0, -3600.0):
        pool = stage.pool(max_size=1)
        held = stage.lease(pool, "A")
        began = time.monotonic()
        waiter = pool.start("B", "acquire", 0.4)
        stage.blocked(waiter)
        with wall_clock(jump):
            stage.note("(world)", f"the wall clock jumps by {jump:+g} s")
            stage.waits(lambda waiter=waiter: waiter.over, 0.2)  # type: ignore[misc]
            stage.refused(pool, waiter, "timeout")
        if time.monotonic() - began < 0.3:
            raise Broken(
                f"the clock jumped by {jump:+g} s, and acquire(0.4) gave up after {time.monotonic() - began:.2f} s"
            )
        stage.does(pool, "A", "release", held)
    return "2 jumps"


@contextmanager
def wall_clock(jump: float) -> Iterator[None]:
    """Whoever calls time.time() through the module sees another time."""
    real = time.time
    time.time = lambda: real() + jump
    try:
        yield
    finally:
        time.time = real
