"""Uncontrolled threads doing everything at once: no schedule is chosen, every account must balance."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from environment.rig import Thread, at_rest, hasty_switching
from poolproof import Lease, NotPooled, Pool, PoolError, PoolStats, StaleLease

THREADS = 4
STEPS = 1_500


class Owned:
    """A resource that notices a second user, a use after its end, and a second end."""

    def __init__(self) -> None:
        self.users: list[int] = []
        self.ends: list[int] = []

    def use(self) -> None:
        me = threading.get_ident()
        self.users.append(me)
        assert [me] == self.users, "used by two"
        assert not self.ends, "used after its end"
        assert self.users.pop() == me
        assert not self.users, "used by two"

    def end(self) -> None:
        self.use()
        self.ends.append(threading.get_ident())
        assert 1 == len(self.ends), "ended twice"


class Accounts:
    """Everything that was made, and what was detached."""

    def __init__(self) -> None:
        self.made: list[Owned] = []
        self.added: list[Owned] = []
        self.detached: list[Owned] = []

    def create(self) -> Owned:
        owned = Owned()
        self.made.append(owned)
        if len(self.made) % 11 == 0:
            self.made.remove(owned)
            raise OSError("no connection")
        return owned

    def add(self, pool: Pool[Owned]) -> None:
        owned = Owned()
        with suppress(PoolError):
            pool.add(owned)
            self.added.append(owned)

    def remove(self, pool: Pool[Owned], dice: random.Random) -> None:
        if self.added:
            with suppress(NotPooled):
                pool.remove(dice.choice(self.added))


def consistent(stats: PoolStats) -> None:
    parts = stats.creating + stats.free + stats.checked_out + stats.returning + stats.discarded
    assert stats.live == parts, stats
    existing = stats.live - stats.creating + stats.detached + stats.destroyed
    assert stats.created + stats.added == existing, stats
    assert min(parts, stats.free, stats.checked_out, stats.waiting, stats.backlog) >= 0, stats
    assert stats.phase == "open" or not stats.free, stats


def use(pool: Pool[Owned], dice: random.Random, accounts: Accounts, ends: str) -> None:
    with suppress(PoolError, OSError):
        lease = pool.acquire(dice.choice([0, 0.0005, 0.01]))
        lease.resource.use()
        if ends == "with":
            with lease as owned:
                owned.use()
        elif ends == "detach":
            accounts.detached.append(lease.detach())
        elif ends == "forget":
            forgotten(lease)
        else:
            getattr(lease, ends)()
        with pytest.raises(StaleLease):
            lease.release()


def forgotten(lease: Lease[Owned]) -> None:
    """Two threads end it: one of them wins."""

    def end() -> None:
        with suppress(StaleLease):
            lease.release()

    other = Thread(end)
    end()
    other.join()


def operations(pool: Pool[Owned], accounts: Accounts, dice: random.Random) -> list[Callable[[], object]]:
    often = [partial(use, pool, dice, accounts, ends) for ends in ("release", "with", "release", "with", "discard")]
    seldom: list[Callable[[], object]] = [
        partial(use, pool, dice, accounts, "detach"),
        partial(use, pool, dice, accounts, "forget"),
        lambda: accounts.add(pool),
        lambda: accounts.remove(pool, dice),
        lambda: pool.resize(dice.randint(2, 6)),
        pool.maintain,
        pool.expire_all,
    ]
    look: list[Callable[[], object]] = [lambda: consistent(pool.stats()), lambda: distinct(pool)]
    return often * 4 + seldom + look * 2


def distinct(pool: Pool[Owned]) -> None:
    holders = pool.holders()
    assert len({holder.slot for holder in holders}) == len(holders), "one slot, two holders"
    assert len({holder.lease for holder in holders}) == len(holders)


@pytest.mark.clause("SNAPSHOT-CONSISTENT", "EXCLUSIVE", "CONSERVATION", "DESTROY-ONCE", "LEASE-ONCE", "COUNTS-RECOUNT")
@pytest.mark.parametrize("closing", [False, True], ids=["to the end", "closed in the middle"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"order": "fifo", "max_free": 2, "max_uses": 5},
        {"reset": Owned.use, "check": lambda owned: owned.use() or True, "min_size": 1, "retry_delay": 1e-6},
    ],
    ids=["plain", "limits", "callbacks"],
)
def test_threads_doing_everything_at_once(options: dict[str, Any], closing: bool, seed: int) -> None:
    def work(number: int) -> None:
        dice = random.Random(seed * THREADS + number)
        choice = operations(pool, accounts, dice)
        together.wait()
        for step in range(STEPS // THREADS):
            if closing and number == 0 and step == STEPS // THREADS // 2:
                pool.close()
            with suppress(PoolError):
                dice.choice(choice)()

    accounts, together = Accounts(), threading.Barrier(THREADS)
    pool = Pool(accounts.create, destroy=Owned.end, max_size=4, **options)
    with hasty_switching(1e-6):
        threads = [Thread(partial(work, number)) for number in range(THREADS)]
        for thread in threads:
            thread.join()
    pool.maintain()
    assert [] == at_rest(pool)
    consistent(pool.stats())
    stats = pool.stats()
    assert ("closed" if closing else "open") == stats.phase
    assert (len(accounts.made), len(accounts.added)) == (stats.created, stats.added)
    assert len(accounts.detached) == stats.detached
    assert stats.destroyed == sum(len(owned.ends) for owned in accounts.made + accounts.added)
    assert pool.close().closed
    for owned in accounts.made + accounts.added:
        assert (0 if owned in accounts.detached else 1) == len(owned.ends)
