"""Progress: serving, building, keeping house, closing."""

from __future__ import annotations

from poolproof.conformance.suite.actors import Broken
from poolproof.conformance.suite.stage import NotApplicable, Stage, Thing, scenario
from poolproof.conformance.suite.strikes import Interrupt


@scenario("WORK-CONSERVING", needs=("max_size",))
def release_serves_each_waiter(stage: Stage) -> str:
    """Three threads wait for two resources. Two releases serve two of them, and the next one the third."""
    pool = stage.pool(max_size=2)
    held = [stage.lease(pool, "A"), stage.lease(pool, "A")]
    calls = [stage.waiter(pool, name) for name in ("B", "C", "D")]
    for lease in held:
        stage.does(pool, "A", "release", lease)
    for _ in range(3):
        if not any(stage.finished(call) for call in calls):
            raise Broken(f"a resource was released and is free, and {calls[0].actor.name} waits for ever")
        call = next(call for call in calls if call.over)
        calls.remove(call)
        stage.does(pool, call.actor.name, "release", stage.leased(pool, call))
    return "3 waiters, 2 slots"


@scenario("WORK-CONSERVING", needs=("max_size", "timeouts"))
def timed_out_waiter_takes_no_wakeup_along(stage: Stage) -> str:
    """B's deadline passes while C waits behind it; then A releases: C must get the resource."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    first = stage.waiter(pool, "B", 0.15)
    second = stage.waiter(pool, "C")
    stage.refused(pool, first, "timeout")
    stage.does(pool, "A", "release", held)
    stage.does(pool, "C", "release", stage.leased(pool, second))
    return "2 waiters"


@scenario("WORK-CONSERVING", needs=("max_size", "timeouts"))
def wakeups_survive_races_with_deadlines(stage: Stage) -> str:
    """B's deadline passes at about the moment of A's release, with C waiting behind B: somebody gets the resource."""
    rounds = 40 * stage.effort
    pool = stage.pool(max_size=1)
    for _ in range(rounds):
        held = stage.lease(pool, "A")
        first = pool.start("B", "acquire", stage.random.uniform(0.001, 0.005))
        second = pool.start("C", "acquire", None)
        first.done.wait(stage.random.uniform(0.001, 0.006))
        stage.does(pool, "A", "release", held)
        outcome = pool.ended(first)
        if outcome.kind == "lease":
            stage.does(pool, "B", "release", outcome)
        stage.does(pool, "C", "release", stage.leased(pool, second))
        del stage.lines[:]
    return f"{rounds} races, seed {stage.seed}"


@scenario("WORK-CONSERVING", needs=("add", "detach", "resources", "max_size"))
def added_resource_serves_a_waiter(stage: Stage) -> str:
    """A waits at a pool that can build nothing more; a resource is added after another left: A gets it."""
    try:
        pool = stage.pool(max_size=1, create=None, resources=[Thing(101)])
    except Broken as error:
        raise NotApplicable(f"a pool without create: {error}") from error
    stage.does(pool, "A", "detach", stage.lease(pool, "A"))
    waiter = stage.waiter(pool, "B")
    stage.does(pool, "A", "add", Thing(102))
    stage.does(pool, "B", "release", stage.leased(pool, waiter))
    return "1 waiter"


@scenario("WAIT-ENDS", needs=("max_size",))
def crowd_gets_through(stage: Stage) -> str:
    """Six threads take turns with two resources, without a deadline: everyone gets every turn."""
    turns = 60 * stage.effort
    pool = stage.pool(max_size=2)
    stage.churn(pool, 6, turns, None)
    stage.all_there(pool, 2)
    return f"6 threads, {turns} turns each"


@scenario("WITHDRAW-PROMPT", needs=("timeouts", "create", "max_size"))
def deadline_does_not_wait_for_anothers_create(stage: Stage) -> str:
    """A's create hangs. B, at the limit, has a deadline: it must end without A."""
    pool = stage.pool(max_size=1)
    gate = pool.create.stops()
    building = pool.start("A", "acquire", None)
    stage.reached(gate, building)
    stage.refused(pool, pool.start("B", "acquire", 0.1), "timeout")
    gate.open.set()
    stage.does(pool, "A", "release", stage.leased(pool, building))
    return "1 create"


@scenario("FAILURE-PROGRESS", needs=("create", "max_size"))
def failed_create_lets_the_next_one_build(stage: Stage) -> str:
    """A's create is running and B waits for the only slot. The create fails: B must not wait for ever."""
    for error in (OSError("no connection"), Interrupt()):
        pool = stage.pool(max_size=1)
        gate = stage.gate()
        pool.raised.append(error)

        def fail(error: BaseException = error) -> None:
            gate()  # noqa: B023
            raise error

        pool.create.then.append(fail)
        building = pool.start("A", "acquire", None)
        stage.must_reach(gate, building, "create")
        waiter = pool.start("B", "acquire", None)
        stage.blocked(waiter)
        gate.open.set()
        pool.ended(building)
        outcome = pool.ended(waiter)
        if outcome.kind == "lease":
            stage.does(pool, "B", "release", outcome)
        stage.all_there(pool, 1)
    return "an error and an interruption"


@scenario("FAILURE-PROGRESS", needs=("discard", "create", "max_size"))
def discard_serves_a_waiter(stage: Stage) -> str:
    """B waits, A discards what it holds: B gets a new resource."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    waiter = stage.waiter(pool, "B")
    stage.does(pool, "A", "discard", held)
    stage.does(pool, "B", "release", stage.leased(pool, waiter))
    return "1 waiter"


@scenario("FAILURE-PROGRESS", needs=("detach", "create", "max_size"))
def detach_serves_a_waiter(stage: Stage) -> str:
    """B waits, A detaches what it holds: B gets a new resource."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    waiter = stage.waiter(pool, "B")
    stage.does(pool, "A", "detach", held)
    stage.does(pool, "B", "release", stage.leased(pool, waiter))
    return "1 waiter"


@scenario("FAILURE-PROGRESS", needs=("reset", "create", "max_size"))
def failed_reset_serves_a_waiter(stage: Stage) -> str:
    """B waits, A releases and the reset fails: B gets a new resource."""
    pool = stage.pool(max_size=1, reset=True)
    held = stage.lease(pool, "A")
    waiter = stage.waiter(pool, "B")
    pool.reset.raises(OSError("cannot reset"))
    pool.ask("A", "release", held)
    stage.does(pool, "B", "release", stage.leased(pool, waiter))
    return "1 waiter"


@scenario("CHECK-TERMINATES", needs=("check",))
def always_failing_check_ends(stage: Stage) -> str:
    """Whatever it looks at, the check says no: an acquire ends with an error, and does not build for ever."""
    most = 200
    pool = stage.pool(max_size=1, check=True)

    def enough() -> None:
        if len(pool.create.calls) + len(pool.check.calls) > most:
            raise Interrupt

    def no() -> bool:
        enough()
        return False

    pool.check.always, pool.create.always = no, enough
    call = pool.start("A", "acquire", None)
    if not stage.finished(call):
        raise Broken("acquire waits for ever when every check fails")
    if len(pool.create.calls) + len(pool.check.calls) > most:
        raise Broken(f"acquire created and checked {len(pool.check.calls)} resources, and would have gone on")
    outcome = pool.ended(call)
    if outcome.kind == "lease" and pool.check.calls:
        raise Broken(f"{outcome} was lent although its check failed")
    return f"{len(pool.check.calls)} checks"


@scenario("CREATE-DEMAND", needs=("create", "max_size"))
def free_one_is_used_again(stage: Stage) -> str:
    """One caller at a time: one resource is enough for twenty leases, at a limit of five."""
    pool = stage.pool(max_size=5)
    before = len(pool.create.calls)
    for _ in range(20):
        stage.does(pool, "A", "release", stage.lease(pool, "A"))
    if len(pool.create.calls) > before + 1:
        raise Broken(f"{len(pool.create.calls) - before} creates for one caller at a time")
    return "20 leases"


@scenario("MIN-SIZE", needs=("min_size", "create"))
def min_size_is_restored(stage: Stage) -> str:
    """With min_size 2, two are built at once; one is discarded, and then there are two again."""
    pool = stage.pool(max_size=3, min_size=2)
    if not stage.waits(lambda: len(pool.things) == 2):
        raise Broken(f"min_size is 2, and {len(pool.things)} were built at construction")
    if stage.has("discard"):
        stage.does(pool, "A", "discard", stage.lease(pool, "A"))
        if stage.has("maintain"):
            stage.does(pool, "A", "maintain")
        if not stage.waits(lambda: len(pool.alive) >= 2):
            raise Broken(f"min_size is 2, one was discarded, and {len(pool.alive)} are left")
    return "1 loss"


@scenario("RESIZE-BOTH-WAYS", needs=("resize", "create", "max_size"))
def resize_acts_both_ways(stage: Stage) -> str:
    """Up: B, who waits, gets to build. Down: what comes back is not kept, and no more than the limit are lent."""
    pool = stage.pool(max_size=1)
    first = stage.lease(pool, "A")
    waiter = stage.waiter(pool, "B")
    stage.does(pool, "C", "resize", 2)
    second = stage.leased(pool, waiter)
    stage.does(pool, "C", "resize", 1)
    stage.does(pool, "A", "release", first)
    stage.nothing_left(pool, "C")
    stage.does(pool, "B", "release", second)
    held = stage.lease(pool, "A")
    stage.nothing_left(pool, "D")
    stage.does(pool, "A", "release", held)
    return "1 up, 1 down"


@scenario("CLOSE-TERMINATES", needs=("close", "prompt-close"))
def close_does_not_wait_for_holders(stage: Stage) -> str:
    """The pool is closed while A holds a lease: close returns, and A can still release."""
    pool = stage.pool(max_size=2)
    held = stage.lease(pool, "A")
    stage.does(pool, "B", "close")
    stage.does(pool, "A", "release", held)
    return "1 holder"


@scenario("CLOSE-TERMINATES", needs=("close",))
def close_may_be_repeated(stage: Stage) -> str:
    """Two threads close an idle pool, and one closes it again: every call returns, and nothing is destroyed twice."""
    pool = stage.pool(max_size=2)
    stage.all_there(pool, 2)
    for call in [pool.start("A", "close"), pool.start("B", "close")]:
        pool.ended(call)
    if (outcome := pool.ask("A", "close")).kind != "done":
        raise Broken(f"closing a closed pool raised {outcome}")
    return "3 calls"
