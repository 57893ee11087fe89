"""One round of housekeeping, and the revoking of leases."""

from __future__ import annotations

import warnings

from poolproof import core
from poolproof.core.upkeep import oldest_first
from poolproof.core.values import CHECKED_OUT, PlainRecord, Record, Slot
from poolproof.driver import Driver
from poolproof.errors import PoolWarning
from poolproof.messages import acquired_at, holders_among
from poolproof.reclaim import reclaim
from poolproof.reports import Holder


def maintain(driver: Driver) -> None:
    """Do whatever is due.   Rows: EXPIRE, SHRINK, INSPECT, REVOKE, RETRY, REFILL, ADOPT.   Cost: O(slots)."""
    if driver.is_open:
        clear_away(driver)
        for slot in to_inspect(driver):
            inspect_one(driver, slot)
        look_for_overdue(driver)
    catch_up(driver)


def clear_away(driver: Driver) -> None:
    """Discard what is too old, idle for too long, or too many."""
    driver.step(lambda state, now: core.expire(state, driver.options, now))
    driver.step(lambda state, now: core.shrink(state, driver.options, now))
    driver.tend()


def to_inspect(driver: Driver) -> list[Slot]:
    """Every slot that is free now, if there is a check: to be checked one at a time, so that the others stay at
    hand; and the oldest first, so that their order is the same afterwards."""
    return [] if driver.settings.check is None else oldest_first(driver.state, driver.options)


def inspect_one(driver: Driver, slot: Slot) -> None:
    driver.step(lambda state, now: core.inspect(state, driver.options, slot, now))


def catch_up(driver: Driver) -> None:
    """Try again what failed, take over what nobody owns, forget what is gone."""
    driver.step(lambda state, now: core.retry(state, driver.options, now))
    reclaim(driver)
    driver.tend()
    driver.registry.sweep()


def look_for_overdue(driver: Driver) -> None:
    """Warn of leases held for longer than max_lease, or revoke them."""
    limit = driver.settings.max_lease
    if limit is None:
        return
    this_round, told = object(), [*driver.overdue]  # first, so that who is told and not held now has ended
    now, held = driver.monotonic(), checked_out(driver)
    for number in {*told}.difference(hold[4] for _, hold in held):
        driver.overdue.pop(number, None)
    for slot, hold in held:
        record = Record._make(hold)
        if now - record.since <= limit:
            continue
        if driver.settings.revoke_overdue:
            driver.settle(slot, hold, core.revoke)
        elif driver.overdue.setdefault(record.number, this_round) is this_round:  # of several rounds, one tells
            warn_of(driver, record)


def warn_of(driver: Driver, record: Record) -> None:
    """Warn of an overdue lease; where warnings are errors, log it instead, so that the round goes on."""
    try:
        warnings.warn(
            f"lease {record.number} of pool {driver.settings.name!r} is held by "
            f"{driver.runtime.name_of(record.who)} for longer than max_lease={driver.settings.max_lease} s "
            f"[LEASE-OVERDUE]{acquired_at(driver, record.number)}",
            PoolWarning,
            stacklevel=2,
        )
    except PoolWarning as error:
        driver.complain("a lease is overdue", error)


def revoke_all(driver: Driver) -> tuple[Holder, ...]:
    """Take every lease from its holder; who had one, the longest first.   Rows: REVOKE."""
    held = checked_out(driver)
    revoked = [(slot, Record._make(hold)) for slot, hold in held if driver.settle(slot, hold, core.revoke)]
    driver.tend()
    return holders_among(driver, revoked)


def checked_out(driver: Driver) -> list[tuple[Slot, PlainRecord]]:
    """The slots that are checked out, each with the very record by which it is held."""
    pairs = [(slot, slot.record) for slot in driver.registry.all()]
    return [(slot, hold) for slot, hold in pairs if hold[0] == CHECKED_OUT]
