"""What the words of a program mean: each is one call of the pool's public surface, by one client.

A client keeps the leases it got. Words that end a lease end the latest one, and do nothing if there is none: its
acquire failed. What a call returned or raised is its *result*, in one word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolproof import CloseReport, NotPooled, PoolClosed, PoolFull
from poolproof.core.lists import length
from poolproof.core.world import slot_states

if TYPE_CHECKING:
    from poolproof.conformance.clients import Client

Meaning = Callable[["Client", int | None], str]
SKIPPED = "–"
STAYING = frozenset(("free", "checked_out", "returning"))

ACQUIRING = frozenset(("AcquireTimeout", "PoolClosed", "PoolBusy", "PoolEmpty", "CheckFailed", "Boom"))
ENDING = frozenset(("StaleLease", "LeaseRevoked"))


def acquire(client: Client, seconds: int | None) -> str:
    return client.hold(client.pool.acquire(seconds))


def acquire_resetting(client: Client, seconds: int | None) -> str:
    return client.hold(client.pool.acquire(seconds, reset=client.scene.reset))


def try_acquire(client: Client, _: int | None) -> str:
    since = len(client.scene.states)
    lease = client.pool.try_acquire()
    if lease is not None:
        return client.hold(lease)
    if not client.scene.any_state(since, nothing_at_once, client.scene):
        client.scene.report("WAIT-DEADLINE", "try_acquire returned nothing, and at every moment there was something")
    return "nothing"


def nothing_at_once(state: Any, scene: Any) -> bool:
    """Whether nothing is free in *state* and nobody can build at once, or too many wait already."""
    ledger = state[3]
    room = scene.options.factory and ledger.live < ledger.limit and ledger.creating <= ledger.waiting
    return not state[1] and not state[2] and not room


def within(client: Client, seconds: int | None) -> str:
    """``with pool.acquire() as resource:`` and one point in the block."""
    with client.pool.acquire(seconds) as thing:
        client.take(thing)
        client.scene.crew.point()
        client.leave(thing)
    return "ok"


def release(client: Client, _: int | None) -> str:
    return client.end("release")


def discard(client: Client, _: int | None) -> str:
    return client.end("discard")


def detach(client: Client, _: int | None) -> str:
    return client.end("detach")


def end_of(client: Client, number: int | None) -> str:
    """Release the lease of another client, who may do so too."""
    other = client.scene.clients[number or 0]
    lease = other.latest
    if lease is None:
        return SKIPPED
    if lease.held:
        other.leave(lease.resource)
    lease.release()
    return "ok"


def again(client: Client, _: int | None) -> str:
    """Release once more a lease that was ended."""
    if client.ended is None:
        return SKIPPED
    client.ended.release()
    client.scene.report("STALE-UNCHANGED", "an ended lease was released, and nobody objected")
    return "ok"


def drop(client: Client, _: int | None) -> str:
    """Forget the lease without ending it."""
    if client.latest is None:
        return SKIPPED
    if client.latest.held:
        client.leave(client.latest.resource)
    client.latest = None
    return "ok"


def add(client: Client, _: int | None) -> str:
    since = len(client.scene.states)
    thing = client.scene.new_thing(added=True)
    try:
        client.pool.add(thing)
    except (PoolFull, PoolClosed) as error:
        client.scene.things.remove(thing)
        if isinstance(error, PoolFull) and not client.scene.any_state(since, full, None):
            client.scene.report("CAPACITY", "add found no room, and at every moment there was some")
        raise
    except KeyboardInterrupt:
        if not thing.destroyed and all(slot.resource is not thing for slot in client.scene.slots.values()):
            client.scene.things.remove(thing)  # it has not come in
        raise
    return "ok"


def full(state: Any, _: object) -> bool:
    return bool(state[3].live >= state[3].limit)


def remove(client: Client, number: int | None) -> str:
    thing = client.scene.thing(number or 0)
    if thing is None:
        return SKIPPED
    try:
        client.pool.remove(thing)
    except NotPooled:
        # What has left never comes back, so whatever is in the pool now was in it all the time.
        states = slot_states(client.scene.world())
        if any(slot.resource is thing and state in STAYING for slot, state in states.items()):
            client.scene.report("REMOVE-LEAVES", f"remove did not find resource {thing.number}, which was in the pool")
        raise
    return "ok"


def resize(client: Client, limit: int | None) -> str:
    client.pool.resize(limit)
    return "ok"


def expire(client: Client, _: int | None) -> str:
    client.pool.expire_all()
    return "ok"


def maintain(client: Client, _: int | None) -> str:
    client.pool.maintain()
    return "ok"


def later(client: Client, seconds: int | None) -> str:
    """Time passes."""
    client.scene.crew.now += seconds or 1
    client.scene.crew.stamp += 1
    return "ok"


def overdue(client: Client, _: int | None) -> str:
    """Time passes, and then maintenance."""
    later(client, 100)
    return maintain(client, None)


def serve(client: Client, _: int | None) -> str:
    """Work for the pool's executor until the run is over."""
    client.scene.executor.serve()
    return "ok"


def stats(client: Client, _: int | None) -> str:
    since = len(client.scene.states)
    told = client.pool.stats()
    seen = (told.live, told.waiting, told.creating, told.returning, told.discarded, told.free)
    if not client.scene.any_state(since, counted, seen):
        client.scene.report("SNAPSHOT-CONSISTENT", f"no state had these counts: {told}")
    return told.phase


def counted(state: Any, seen: object) -> bool:
    ledger = state[3]
    counts = (ledger.live, ledger.waiting, ledger.creating, ledger.returning, ledger.discarded)
    return (*counts, length(state[1]) + length(state[2])) == seen


def holders(client: Client, _: int | None) -> str:
    return str(len(client.pool.holders()))


def close(client: Client, grace: int | None) -> str:
    """close(): does not wait. ``close(n)`` waits n seconds for holders."""
    return how_far(client.pool.close(grace or 0))


def close_and_wait(client: Client, _: int | None) -> str:
    report = client.pool.close(None)
    if not report.closed:
        client.scene.report("CLOSE-TERMINATES", "close() without limit returned before the pool was closed")
    return how_far(report)


def force(client: Client, _: int | None) -> str:
    return how_far(client.pool.close(0, force=True))


def how_far(report: CloseReport) -> str:
    return "closed" if report.closed else "closing"


# What each word means, and which errors the spec allows it.
WORDS: dict[str, tuple[Meaning, frozenset[str]]] = {
    "acquire": (acquire, ACQUIRING),
    "acquire_reset": (acquire_resetting, ACQUIRING),
    "try": (try_acquire, frozenset(("PoolClosed", "PoolEmpty", "CheckFailed", "Boom"))),
    "with": (within, ACQUIRING | {"LeaseRevoked"}),
    "release": (release, ENDING),
    "discard": (discard, ENDING),
    "detach": (detach, ENDING),
    "end_of": (end_of, ENDING),
    "again": (again, ENDING),
    "drop": (drop, frozenset()),
    "add": (add, frozenset(("PoolClosed", "PoolFull"))),
    "remove": (remove, frozenset(("NotPooled",))),
    "resize": (resize, frozenset(("PoolClosed",))),
    "expire": (expire, frozenset(("PoolClosed",))),
    "maintain": (maintain, frozenset()),
    "later": (later, frozenset()),
    "overdue": (overdue, frozenset()),
    "serve": (serve, frozenset()),
    "stats": (stats, frozenset()),
    "holders": (holders, frozenset()),
    "close": (close, frozenset()),
    "close_wait": (close_and_wait, frozenset()),
    "force": (force, frozenset()),
}

# Words that do nothing that others could see or change before they read the state. The point in front of them and the
# point in front of that reading are one.
BEGIN_BY_READING = frozenset(
    ("acquire", "acquire_reset", "try", "with", "release", "discard", "resize", "expire", "maintain", "stats", "close")
)

# Words that end a lease. A thread that begins with one was given its lease before the program starts.
ON_A_LEASE = frozenset(("release", "discard", "detach", "drop"))
