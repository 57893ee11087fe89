"""What happens to a pool in the child after a fork [FORK-SAFE].

The child gets the same objects but none of the other threads, and the parent goes on using its connections. So the
child's pool starts anew and empty; what it inherited is neither used nor destroyed, but kept alive unseen, because
even dropping the last reference could close the parent's connection.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any

from poolproof.core.lists import queue_items
from poolproof.core.values import ABSENT, FORKED, NEW, Record, TicketRecord

if TYPE_CHECKING:
    from poolproof.aio.pool import AsyncPool
    from poolproof.driver import Driver
    from poolproof.pool import Pool

_pools: weakref.WeakSet[Pool[Any] | AsyncPool[Any]] = weakref.WeakSet()
_drivers: weakref.WeakSet[Driver] = weakref.WeakSet()  # more than the pools: a lease may have outlived its pool
_inherited: list[object] = []


def watch_forks(pool: Pool[Any] | AsyncPool[Any]) -> None:
    """Have *pool* start anew in every child."""
    _pools.add(pool)
    _drivers.add(pool._driver)


def keep(resource: object) -> None:
    """Keep alive what the parent may use too."""
    _inherited.append(resource)


def _in_child() -> None:
    for driver in list(_drivers):
        slots = driver.registry.all()
        keep([slot.resource for slot in slots])
        for slot in slots:
            slot.record = Record(ABSENT, 0, 0.0, None, 0, FORKED)
        for ticket in queue_items(driver.state.ledger.queue, driver.state.ledger.tail):
            ticket.record = TicketRecord(NEW)
        driver.forget()
    for pool in list(_pools):
        pool._renew_atom()
        if pool._housekeeper is not None:
            pool._housekeeper.restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
