"""The words of the errors: which pool, its counts, who and since when, and the clause."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from functools import partial
from typing import Any

from poolproof.core.draft import checked_out_count, free_count
from poolproof.core.lists import queue_items
from poolproof.core.values import CHECKED_OUT, UNBOUNDED, Record, Slot, read
from poolproof.core.world import slot_states
from poolproof.driver import Driver
from poolproof.errors import AcquireTimeout, PoolBusy, PoolClosed, PoolEmpty, PoolError
from poolproof.reports import Holder, Pooled
from poolproof.stacks import LeaseStacks


def holders_of(driver: Driver) -> tuple[Holder, ...]:
    """Who holds what, the longest first.   Cost: O(slots)."""
    return holders_among(driver, driver.world(tries=20).slots)


def holders_among(driver: Driver, records: Iterable[tuple[Slot, Record]]) -> tuple[Holder, ...]:
    now = driver.monotonic()
    held = [(slot, record) for slot, record in records if record.state == CHECKED_OUT]
    held.sort(key=lambda pair: pair[1].since)
    return tuple(
        Holder(
            record.number,
            slot.number,
            driver.runtime.name_of(record.who),
            max(0.0, now - record.since),
            stack_of(driver, record.number),
        )
        for slot, record in held
    )


def stack_of(driver: Driver, lease: int) -> str:
    """By which stack a lease was acquired, if the pool traces leases."""
    observer = driver.settings.observer
    return observer.stack_of(lease) if isinstance(observer, LeaseStacks) else ""


def acquired_at(driver: Driver, lease: int) -> str:
    """The same as the end of a message."""
    stack = stack_of(driver, lease)
    return f"; it was acquired at\n{stack}" if stack else ""


def pooled(driver: Driver) -> tuple[Pooled[Any], ...]:
    """All slots that hold a resource: the free ones first, in the order of their grants.   Cost: O(slots)."""
    world = driver.world(tries=20)
    now, states, records = driver.monotonic(), slot_states(world), dict(world.slots)
    free: list[Slot] = [slot for slot in queue_items(world.state.free, world.state.back) if slot in records]
    others = sorted(records.keys() - set(free), key=lambda slot: slot.number)
    return tuple(
        Pooled(slot.resource, slot.number, states[slot], max(0.0, now - records[slot].since), records[slot].uses)
        for slot in (*free, *others)
    )


def describe(driver: Driver) -> str:
    """``pool 'db' (3/4 checked out, 1 creating, 7 waiting)``; what there is none of is left out.   Cost: O(1)."""
    state = driver.state
    ledger = state.ledger
    limit = "unbounded" if ledger.limit == UNBOUNDED else int(ledger.limit)
    busy = {"creating": ledger.creating, "returning": ledger.returning, "discarded": ledger.discarded}
    parts = [f"{checked_out_count(state)}/{limit} checked out"]
    parts += [f"{count} {name}" for name, count in busy.items() if count]
    return f"pool {driver.settings.name!r} ({', '.join(parts)}, {ledger.waiting} waiting)"


def longest_held(known: weakref.ref[Driver], moment: float) -> str:
    """Who of those that still hold a resource had held it for longest at that moment.   Cost: O(slots)."""
    driver = known()
    if driver is None:
        return ""
    # Good enough for a message, and it never has to look twice.
    records = map(read, driver.registry.all())
    held = [record for record in records if record.state == CHECKED_OUT and record.since <= moment]
    if not held:
        return ""
    first = min(held, key=lambda record: record.since)
    return f"; longest held {moment - first.since:.3g} s by {driver.runtime.name_of(first.who)}"


def timeout(driver: Driver, why: str) -> AcquireTimeout:
    """The error for a caller who gets nothing in time.   Cost: O(1); see `AcquireTimeout` for what that leaves."""
    error = AcquireTimeout(f"{describe(driver)}: {why} [WAIT-DEADLINE]")
    error.besides = partial(longest_held, weakref.ref(driver), driver.monotonic())
    error.of = driver.token
    return error


def timed_out(driver: Driver, asked: float | None) -> AcquireTimeout:
    return timeout(driver, f"nothing free within {asked} s")


def refused(driver: Driver, row: str) -> PoolError:
    """The error for one of the REFUSE rows."""
    error = refusal(driver, row)
    error.of = driver.token
    return error


def refusal(driver: Driver, row: str) -> PoolError:
    pool = describe(driver)
    if row == "REFUSE-CLOSED":
        return PoolClosed(f"{pool}: the pool is {driver.state.ledger.phase} [CLOSE-REFUSES]")
    if row == "REFUSE-EMPTY":
        return PoolEmpty(f"{pool}: no resource is left and nothing can be built [EMPTY-RAISES]")
    if row == "REFUSE-BUSY":
        return PoolBusy(f"{pool}: no more may wait, max_waiting is {driver.settings.max_waiting} [WAIT-BOUND]")
    count = free_count(driver.state)
    return timeout(driver, f"nothing to be had at once{f', {count} free but unfit' if count else ''}")
