"""The words of the errors: which pool, its counts, who and since when, and the clause."""

from __future__ import annotations

from collections.abc import Iterable

from poolproof.core.draft import checked_out_count, free_count
from poolproof.core.values import CHECKED_OUT, UNBOUNDED, Record, Slot, read
from poolproof.driver import Driver
from poolproof.errors import AcquireTimeout, PoolBusy, PoolClosed, PoolEmpty, PoolError
from poolproof.reports import Holder


def holders_of(driver: Driver) -> tuple[Holder, ...]:
    """Who holds what, the longest first.   Cost: O(slots)."""
    return holders_among(driver, driver.world(tries=20).slots)


def holders_among(driver: Driver, records: Iterable[tuple[Slot, Record]]) -> tuple[Holder, ...]:
    now = driver.monotonic()
    held = [(slot, record) for slot, record in records if record.state == CHECKED_OUT]
    held.sort(key=lambda pair: pair[1].since)
    return tuple(
        Holder(record.number, slot.number, driver.runtime.name_of(record.who), max(0.0, now - record.since))
        for slot, record in held
    )


def describe(driver: Driver) -> str:
    """``pool 'db' (4/4 checked out, 7 waiting)``"""
    state = driver.state
    limit = "unbounded" if state.ledger.limit == UNBOUNDED else int(state.ledger.limit)
    return (
        f"pool {driver.settings.name!r} ({checked_out_count(state)}/{limit} checked out, "
        f"{state.ledger.waiting} waiting)"
    )


def longest_held(driver: Driver) -> str:
    # Good enough for a message, and it never has to look twice.
    held = holders_among(driver, [(slot, read(slot)) for slot in driver.registry.all()])
    return f"; longest held {held[0].seconds:.3g} s by {held[0].who}" if held else ""


def timed_out(driver: Driver, asked: float | None) -> AcquireTimeout:
    error = AcquireTimeout(
        f"{describe(driver)}: nothing free within {asked} s{longest_held(driver)} [WAIT-DEADLINE]"
    )
    error.of = driver.token
    return error


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
    return AcquireTimeout(
        f"{pool}: nothing to be had at once{f', {count} free but unfit' if count else ''}"
        f"{longest_held(driver)} [WAIT-DEADLINE]"
    )
