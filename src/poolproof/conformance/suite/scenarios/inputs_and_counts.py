"""Safety: inputs and counts."""

from __future__ import annotations

from typing import Any

from poolproof.conformance.suite.actors import Broken
from poolproof.conformance.suite.adapter import PoolSpec
from poolproof.conformance.suite.stage import NotApplicable, Outcome, Stage, Thing, Watched, scenario


def made(stage: Stage, **wanted: Any) -> BaseException | None:
    """What the constructor raises."""
    told = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if name != "create" or value is None)
    call = stage.actor("A").start(told, lambda: stage.subject.factory(PoolSpec(**wanted)))
    stage.note("A", f"makes a pool: {told}")
    if not stage.finished(call):
        raise Broken(f"making a pool with {told} never returns")
    stage.note("A", f"→ {'a pool' if call.error is None else repr(call.error)}")
    if call.error is None and stage.has("close"):
        stage.actor("A").start("close", call.value.close).done.wait(1.0)
    return call.error


@scenario("INPUTS-VALIDATED", needs=("input-validation",))
def nonsense_makes_no_pool(stage: Stage) -> str:
    """A negative limit, a min_size above the limit: refused, and nothing created."""
    calls: list[int] = []

    def create() -> Thing:
        calls.append(1)
        return Thing(len(calls))

    cases: list[dict[str, Any]] = []
    if stage.has("max_size", "create"):
        cases.append({"max_size": -1, "create": create})
    if stage.has("min_size", "max_size"):
        cases.append({"max_size": 1, "min_size": 2, "create": create})
    if not cases:
        raise NotApplicable("the adapter reads nothing that could be nonsense")
    for case in cases:
        if made(stage, **case) is None:
            told = ", ".join(f"{name}={value!r}" for name, value in case.items() if value is not create)
            raise Broken(f"a pool was made with {told}")
    if calls:
        raise Broken("create was called although the arguments make no sense")
    return f"{len(cases)} mistakes"


@scenario("INPUTS-YOURS", needs=("resources",))
def given_list_stays_the_callers(stage: Stage) -> str:
    """Resources given in a list: the pool lends each of them, changes nothing in the list, and notices no change."""
    given = [Thing(101), Thing(102)]
    copy = list(given)
    pool = stage.pool(max_size=2, resources=given)
    if given != copy:
        raise Broken("the pool changed the list of resources that it was given")
    given.append(Thing(103))
    got = [stage.lease(pool, "A").resource for _ in range(2)]
    if given[:2] != copy or len(given) != 3:
        raise Broken("the pool changed the list of resources that it was given")
    if {id(each) for each in got} != {id(each) for each in copy}:
        raise Broken(f"the pool was given {copy}, and lent {got}")
    return "2 resources"


@scenario("BUILT-UNDONE", needs=("create", "destroy", "min_size", "errors-unchanged"))
def failed_construction_leaves_nothing(stage: Stage) -> str:
    """The third of three initial creates fails: the constructor raises, and the first two are destroyed."""
    pool = Watched(stage, stage.subject, {"max_size": 3, "min_size": 3})
    pool.create.then += [lambda: None, lambda: None]
    error = pool.create.raises(OSError("no connection"))
    call = stage.actor("A").start("make the pool", pool.make)
    if not stage.finished(call):
        raise Broken("the constructor never returns")
    if call.error is None:
        raise Broken("the third initial create failed, and the constructor did not raise")
    if call.error is not error:
        raise Broken(f"create raised {error!r}, and the constructor raised {call.error!r}")
    if left := [each for each in pool.things if id(each) not in pool.gone]:
        raise Broken(f"{left} had been built when the constructor failed, and were never destroyed")
    return "3 creates"


@scenario("COUNTS-RECOUNT", needs=("stats", "max_size"))
def counts_equal_a_recount(stage: Stage) -> str:
    """Two of three are lent and one is free; later a waiter comes and times out. Every count says so."""
    pool = stage.pool(max_size=3)
    held = [stage.lease(pool, "A") for _ in range(3)]
    stage.does(pool, "A", "release", held[2])
    counted(stage, pool, live=3, free=1, checked_out=2, waiting=0)
    more = stage.lease(pool, "A")
    counted(stage, pool, live=3, free=0, checked_out=3, waiting=0)
    if stage.has("timeouts"):
        waiter = stage.waiter(pool, "B", 0.3)
        counted(stage, pool, waiting=1)
        stage.refused(pool, waiter, "timeout")
        counted(stage, pool, live=3, free=0, checked_out=3, waiting=0)
    for each in (*held[:2], more):
        stage.does(pool, "A", "release", each)
    counted(stage, pool, live=3, free=3, checked_out=0, waiting=0)
    return "5 recounts"


def counted(stage: Stage, pool: Watched, **expected: int) -> None:
    outcome: Outcome = stage.does(pool, "S", "stats")
    told = dict(outcome.value)
    for name, number in expected.items():
        if name in told and told[name] != number:
            raise Broken(f"stats says {name} {told[name]}, and a recount says {number}")
