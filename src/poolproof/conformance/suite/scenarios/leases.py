"""Safety: leases."""

from __future__ import annotations

import threading

from poolproof.conformance.suite.actors import Broken
from poolproof.conformance.suite.stage import Outcome, Stage, Watched, scenario


@scenario("LEASE-ONCE", needs=("max_size",))
def second_release_frees_nothing(stage: Stage) -> str:
    """One lease is released twice: at a limit of 1, only one of two acquires may get the resource."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    stage.does(pool, "A", "release", held)
    pool.ask("A", "release again", held)
    other = stage.lease(pool, "B")
    stage.nothing_left(pool, "C")
    stage.does(pool, "B", "release", other)
    return "2 releases"


@scenario("LEASE-ONCE", needs=("max_size",))
def one_of_two_racing_releases_counts(stage: Stage) -> str:
    """Two threads release the same lease at the same time; the resource comes back once."""
    rounds = 100 * stage.effort
    for _ in range(rounds):
        pool = stage.pool(max_size=1)
        held = stage.lease(pool, "A")
        start = threading.Barrier(2)

        def release(start: threading.Barrier = start, pool: Watched = pool, held: Outcome = held) -> Outcome:
            start.wait(10)
            return pool.end_here("release", held)

        for call in [stage.actor(name).start("release", release) for name in "AB"]:
            pool.ended(call)
        other = stage.lease(pool, "C")
        taken = pool.start("D", "acquire", 0.0) if stage.has("timeouts") else None
        if taken is not None and pool.ended(taken).kind == "lease":
            raise Broken("two releases of one lease at the same time made two free slots at a limit of 1")
        stage.does(pool, "C", "release", other)
        stage.done_with(pool)
    return f"{rounds} races"


@scenario("LEASE-IDENTITY", needs=("lease-identity", "max_size"))
def late_release_takes_nothing_from_the_next_holder(stage: Stage) -> str:
    """A releases, B gets the same resource, A releases again by mistake: C must not get what B holds."""
    pool = stage.pool(max_size=1)
    first = stage.lease(pool, "A")
    stage.does(pool, "A", "release", first)
    second = stage.lease(pool, "B")
    pool.ask("A", "release again", first)
    stage.nothing_left(pool, "C")
    stage.does(pool, "B", "release", second)
    return "1 slot"


@scenario("LEASE-IDENTITY", needs=("lease-identity", "discard", "destroy"))
def late_discard_destroys_nothing_of_the_next_holder(stage: Stage) -> str:
    """A releases, B gets the same resource, A discards by mistake: what B holds must not be destroyed."""
    pool = stage.pool(max_size=1)
    first = stage.lease(pool, "A")
    stage.does(pool, "A", "release", first)
    second = stage.lease(pool, "B")
    pool.ask("A", "discard again", first)
    if id(second.resource) in pool.gone and second.resource is first.resource:
        raise Broken(f"{second.resource}, which B holds, was destroyed by a lease of A that had ended")
    stage.does(pool, "B", "release", second)
    return "1 slot"


@scenario("LEASE-IDENTITY", needs=("cross-thread",))
def lease_may_be_ended_elsewhere(stage: Stage) -> str:
    """A lease that A acquired is released by B, and the resource is free again."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    stage.does(pool, "B", "release", held)
    stage.does(pool, "C", "release", stage.lease(pool, "C"))
    return "2 threads"


@scenario("STALE-UNCHANGED", needs=("misuse",))
def second_release_is_an_error(stage: Stage) -> str:
    """Whoever releases a lease for the second time is told so by an error."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    stage.does(pool, "A", "release", held)
    told(pool.ask("A", "release again", held), "a second release")
    return "2 releases"


@scenario("STALE-UNCHANGED", needs=("misuse", "discard"))
def release_after_discard_is_an_error(stage: Stage) -> str:
    """A lease that was discarded is released: an error, and the destroyed resource is not lent."""
    pool = stage.pool(max_size=1)
    held = stage.lease(pool, "A")
    stage.does(pool, "A", "discard", held)
    outcome = pool.ask("A", "release again", held)
    stage.all_there(pool, 1)
    told(outcome, "a release after the discard")
    return "1 lease"


@scenario("LEASE-IDENTITY", needs=("misuse", "max_size"))
def lease_of_another_pool_is_refused(stage: Stage) -> str:
    """A lease of one pool is ended at another: that is an error there, or goes to the right pool; nothing is mixed."""
    one, other = stage.pool(max_size=1), stage.pool(max_size=1)
    other.label = "other pool: "
    held = stage.lease(one, "A")
    outcome = other.ask("A", "release again", held)
    mine = stage.lease(other, "B")
    if mine.resource is held.resource:
        raise Broken(f"{held.resource} came from one pool, was released to another, and is lent by that one now")
    stage.nothing_left(other, "C")
    if outcome.kind == "done" and one.ask("A", "release again", held).kind == "done":
        raise Broken("a lease of another pool was accepted without an error")
    return "2 pools"


def told(outcome: Outcome, what: str) -> None:
    if outcome.kind == "done":
        raise Broken(f"{what} was accepted without an error")
    if outcome.kind != "misuse":
        raise Broken(f"{what} raised {outcome}, which is no error that the adapter names as misuse_error")
