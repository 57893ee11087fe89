"""What a pool does to itself when asked: in threads and in tasks alike, because nothing here waits.

The docstrings are those of the public methods that call these; spec/surface.md says the same without Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from poolproof import core
from poolproof.core.values import CHECKED_OUT, CLOSED, OPEN, RETURNING, UNBOUNDED, Slot, State, Step, read
from poolproof.driver import Driver
from poolproof.errors import NotPooled, PoolFull
from poolproof.messages import describe, holders_of, refused
from poolproof.registry import Reservation
from poolproof.reports import CloseReport, Holder, PoolStats
from poolproof.settings import count


def require_open(driver: Driver) -> None:
    if not driver.is_open:
        raise refused(driver, "REFUSE-CLOSED")


def add(driver: Driver, resource: Any) -> None:
    """Take in a resource from outside.   Rows: ADD."""
    place = Reservation(driver.registry, resource)

    def propose(state: State, now: float) -> Step | None:
        step = core.add(state, driver.options, resource, driver.expiry(now), now)
        if step is not None:
            number = step.fired[0].slot
            place.into(next(cell for cell, _ in step.moves if isinstance(cell, Slot) and cell.number == number))
        return step

    try:
        step = driver.step(propose)
    finally:
        place.end()
    driver.tend()
    if step is None:
        require_open(driver)
        raise PoolFull(f"{describe(driver)}: no room for one more resource [CAPACITY]")


def remove(driver: Driver, resource: Any) -> None:
    """Have a resource leave the pool.   Rows: REMOVE-FREE, RETIRE."""
    for slot in driver.registry.holding(resource):
        step = driver.step(lambda state, now, slot=slot: core.remove(state, driver.options, slot, now))  # type: ignore[misc]
        if step is not None or read(slot).state in (CHECKED_OUT, RETURNING):
            driver.tend()
            return
    raise NotPooled(f"{describe(driver)}: this {type(resource).__name__} object is not in it [REMOVE-LEAVES]")


def resize(driver: Driver, max_size: int | None) -> None:
    """Change the limit.   Rows: RESIZE."""
    count("max_size", max_size, least=0)
    if max_size is not None and max_size < driver.options.min_size:
        raise ValueError(f"max_size {max_size} is below min_size {driver.options.min_size} [INPUTS-VALIDATED]")
    limit = UNBOUNDED if max_size is None else max_size
    changed = False
    while step := driver.step(lambda state, now: core.resize(state, driver.options, limit, now)):
        changed = True
        # Not the state of now: whoever resizes later prevails, and is not to be fought.
        if step.state.ledger.limit == limit:
            break
    driver.tend()
    if not changed:
        require_open(driver)


def expire_all(driver: Driver) -> None:
    """Replace every resource.   Rows: RENEW."""
    step = driver.step(lambda state, now: core.renew(state, driver.options, now))
    driver.tend()
    if step is None:
        require_open(driver)


def begin_close(driver: Driver) -> Callable[[tuple[Holder, ...]], CloseReport]:
    """Grant nothing any more, and destroy what is free.   Rows: CLOSE.

    Returns: what makes the report in the end, from those whose leases were revoked.
    """
    before = driver.state.ledger
    refused_now = 0

    def propose(state: State, now: float) -> Step | None:
        nonlocal refused_now
        refused_now = state.ledger.waiting if state.ledger.phase == OPEN else 0
        return core.close(state, driver.options, now)

    def report(revoked: tuple[Holder, ...]) -> CloseReport:
        ledger = driver.state.ledger
        return CloseReport(
            closed=ledger.phase == CLOSED,
            refused=refused_now,
            destroyed=ledger.destroyed - before.destroyed,
            revoked=revoked,
            holders=holders_of(driver),
        )

    driver.step(propose)
    driver.tend()
    return report


def in_one_line(kind: str, stats: PoolStats) -> str:
    """The printed form of a pool."""
    limit = "unbounded" if stats.limit is None else stats.limit
    busy = {"creating": stats.creating, "returning": stats.returning, "discarded": stats.discarded}
    told = "".join(f" {name}={count}" for name, count in busy.items() if count)
    return (
        f"<{kind} {stats.name!r} {stats.phase} {stats.live}/{limit} free={stats.free} "
        f"checked_out={stats.checked_out}{told} waiting={stats.waiting}>"
    )
