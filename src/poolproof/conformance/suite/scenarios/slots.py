"""Safety: slots and capacity."""

from __future__ import annotations

from poolproof.conformance.suite.actors import Broken
from poolproof.conformance.suite.stage import Stage, Thing, scenario


@scenario("EXCLUSIVE", needs=("max_size",))
def one_resource_one_holder(stage: Stage) -> str:
    """At a limit of 1, A holds the resource; B must not get it too."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    stage.nothing_left(pool, "B")
    stage.does(pool, "A", "release", held)
    return "1 slot"


@scenario("EXCLUSIVE")
def all_different(stage: Stage) -> str:
    """Three leases held together name three different resources, and so they do the second time."""
    pool = stage.pool(max_size=3)
    for _ in range(2):
        stage.all_there(pool, 3)
    return "3 slots, twice"


@scenario("NO-DUPLICATES", needs=("add", "max_size"))
def pooled_resource_is_not_added(stage: Stage) -> str:
    """Add the same object twice: the second add must fail, or two holders would share it."""
    pool = stage.pool(max_size=3)
    thing = Thing(100)
    stage.does(pool, "A", "add", thing)
    if pool.ask("A", "add", thing).kind == "done":
        raise Broken("the same object was added twice, and is in the pool twice now")
    return "2 adds"


@scenario("CAPACITY", needs=("max_size", "create"))
def creates_in_flight_count(stage: Stage) -> str:
    """Five threads acquire while create is slow: no more than two creates at a limit of two."""
    pool = stage.pool(max_size=2)
    gates = [pool.create.stops() for _ in range(5)]
    calls = [pool.start(f"W{number}", "acquire", None) for number in range(5)]
    stage.settled(calls)
    if len(pool.create.calls) > 2:
        raise Broken(f"{len(pool.create.calls)} creates are running at a limit of 2")
    for gate in gates:
        gate.open.set()
    for _ in calls:
        call = next((each for each in calls if stage.waits(lambda each=each: each.over, 0.3)), calls[0])  # type: ignore[misc]
        calls.remove(call)
        stage.does(pool, call.actor.name, "release", stage.leased(pool, call))
    return "5 threads, 2 slots"


@scenario("CAPACITY", needs=("max_size", "create"))
def limit_holds_after_failed_creates(stage: Stage) -> str:
    """Creates fail, some with others waiting; then the pool still lends exactly its limit."""
    pool = stage.pool(max_size=2)
    for _ in range(3):
        pool.create.raises(OSError("no connection"))
        stage.tries(pool, "A")
    pool.create.then.clear()
    held = [stage.lease(pool, "A"), stage.lease(pool, "A")]
    stage.nothing_left(pool, "B")
    stage.does(pool, "A", "release", held[0])
    return "3 failures, 2 slots"


@scenario("CAPACITY-UNTIL-DESTROYED", needs=("destroy", "discard", "max_size", "destroy-counts"))
def slot_counts_while_destroy_runs(stage: Stage) -> str:
    """While the destroy of a discarded resource is still running, no replacement is created at a limit of 1."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    gate = pool.destroy.stops()
    discard = pool.start("A", "discard", held)
    stage.reached(gate, discard)
    if not gate.reached.is_set():
        stage.waits(gate.reached.is_set)
    created = len(pool.create.calls)
    waiter = pool.start("B", "acquire", None)
    stage.blocked(waiter)
    if gate.reached.is_set() and len(pool.create.calls) > created:
        raise Broken("create was called while the destroy of the only slot was still running")
    gate.open.set()
    pool.ended(discard)
    stage.does(pool, "B", "release", stage.leased(pool, waiter))
    return "1 slot"


@scenario("DESTROY-ONCE", needs=("destroy", "close"))
def close_destroys_each_once(stage: Stage) -> str:
    """After close, each of three free resources has been destroyed, exactly once."""
    pool = stage.pool(max_size=3)
    stage.all_there(pool, 3)
    stage.does(pool, "A", "close")
    stage.waits(lambda: len(pool.gone) == len(pool.things))
    if missing := [thing for thing in pool.things if id(thing) not in pool.gone]:
        raise Broken(f"{', '.join(map(repr, missing))} was not destroyed although the pool was closed")
    return f"{len(pool.things)} resources"


@scenario("DESTROY-ONCE", needs=("destroy", "discard"))
def discarded_is_destroyed_and_gone(stage: Stage) -> str:
    """A discarded resource is destroyed once, and the next acquire gets another one."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    stage.does(pool, "A", "discard", held)
    other = stage.lease(pool, "B")
    if other.resource is held.resource:
        raise Broken(f"{held.resource} was discarded, and lent again")
    if not stage.waits(lambda: id(held.resource) in pool.gone):
        raise Broken(f"{held.resource} was discarded, and never destroyed")
    stage.does(pool, "B", "release", other)
    return "1 discard"


@scenario("DETACH-KEEPS", needs=("detach",))
def detached_is_left_alone(stage: Stage) -> str:
    """A detached resource is not destroyed, not even by close, is not lent again, and its slot is free at once."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    stage.does(pool, "A", "detach", held)
    other = stage.lease(pool, "B")
    if other.resource is held.resource:
        raise Broken(f"{held.resource} was detached, and lent again")
    stage.does(pool, "B", "release", other)
    if stage.has("close"):
        stage.does(pool, "B", "close")
    if id(held.resource) in pool.gone:
        raise Broken(f"{held.resource} was detached, and destroyed by the pool all the same")
    return "1 detach"


@scenario("NEVER-STALE", needs=("check",))
def failed_check_is_not_lent(stage: Stage) -> str:
    """The check says that a free resource is bad: nobody gets it."""
    pool = stage.pool(max_size=1, check=True)
    held = stage.lease(pool, "A")
    stage.does(pool, "A", "release", held)
    bad = held.resource
    pool.check.always = lambda: None if not pool.check.calls or pool.check.calls[-1] is not bad else False
    other = pool.ask("B", "acquire", None)
    if not any(each is bad for each in pool.check.calls):
        raise Broken(f"{bad} was lent for the second time without having been checked")
    if other.kind == "lease" and other.resource is bad:
        raise Broken(f"{bad} was lent although its check said that it is bad")
    return "1 bad resource"


@scenario("NEVER-STALE", needs=("max_uses",))
def worn_out_is_replaced(stage: Stage) -> str:
    """With max_uses 2, the third lease names another resource."""
    pool = stage.pool(max_size=1, max_uses=2)
    seen = []
    for _ in range(5):
        held = stage.lease(pool, "A")
        seen.append(held.resource)
        stage.does(pool, "A", "release", held)
    for each in seen:
        if sum(each is other for other in seen) > 2:
            raise Broken(f"{each} was lent {sum(each is other for other in seen)} times, with max_uses 2")
    return "5 leases"


@scenario("NEVER-STALE", needs=("max_age",))
def too_old_is_replaced(stage: Stage) -> str:
    """A resource that is older than max_age is not lent again, however recently it was used."""
    pool = stage.pool(max_size=1, max_age=0.05)
    held = stage.lease(pool, "A")
    stage.does(pool, "A", "release", held)
    stage.waits(lambda: False, 0.1)
    other = stage.lease(pool, "A")
    if other.resource is held.resource:
        raise Broken(f"{held.resource} was lent when it was more than 0.05 s old, with max_age 0.05")
    return "1 resource"


@scenario("RESET-BEFORE-REUSE", needs=("reset",))
def reset_runs_between_two_leases(stage: Stage) -> str:
    """Between two leases of one resource its reset has run once, and returned."""
    pool = stage.pool(max_size=1, reset=True)
    held = stage.lease(pool, "A")
    gate = pool.reset.stops()
    release = pool.start("A", "release", held)
    other = pool.start("B", "acquire", None)
    stage.settled([release, other])
    if other.over and pool.ended(other).resource is held.resource:
        raise Broken(f"{held.resource} was lent before its reset had {'ended' if pool.reset.calls else 'begun'}")
    gate.open.set()
    pool.ended(release)
    stage.does(pool, "B", "release", stage.leased(pool, other))
    if len([each for each in pool.reset.calls if each is held.resource]) > 2:
        raise Broken(f"{held.resource} was reset more than once for one lease")
    return "2 leases"


@scenario("REMOVE-LEAVES", needs=("remove",))
def removed_is_not_lent_again(stage: Stage) -> str:
    """A resource that is removed, free or held, is never lent again."""
    pool = stage.pool(max_size=2)
    first, second = stage.lease(pool, "A"), stage.lease(pool, "A")
    stage.does(pool, "A", "release", first)
    for held in (first, second):
        stage.does(pool, "B", "remove", held.resource)
    stage.does(pool, "A", "release", second)
    for each in stage.all_there(pool, 2):
        if each.resource in (first.resource, second.resource):
            raise Broken(f"{each.resource} was removed, and lent again")
    return "1 free, 1 held"


@scenario("RENEW-ALL", needs=("expire_all",))
def everything_is_replaced(stage: Stage) -> str:
    """After expire_all, nothing that was there before is lent again: neither what was free nor what was held."""
    pool = stage.pool(max_size=2)
    first, second = stage.lease(pool, "A"), stage.lease(pool, "A")
    stage.does(pool, "A", "release", first)
    stage.does(pool, "B", "expire_all")
    stage.does(pool, "A", "release", second)
    for each in stage.all_there(pool, 2):
        if each.resource in (first.resource, second.resource):
            raise Broken(f"{each.resource} was lent after expire_all, and is from before it")
    return "1 free, 1 held"


@scenario("FREE-ORDER", needs=("order", "max_size"))
def free_ones_are_lent_in_order(stage: Stage) -> str:
    """With order "lifo" the last released is lent first; with "fifo" the first released is."""
    for order in ("lifo", "fifo"):
        pool = stage.pool(max_size=3, order=order)
        held = [stage.lease(pool, "A") for _ in range(3)]
        for lease in held:
            stage.does(pool, "A", "release", lease)
        expected = [lease.resource for lease in (held if order == "fifo" else reversed(held))]
        got = [stage.lease(pool, "A").resource for _ in range(3)]
        if any(one is not other for one, other in zip(expected, got, strict=True)):
            raise Broken(f"order {order}: expected {expected}, got {got}")
    return "3 resources, both orders"
