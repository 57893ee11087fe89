"""A close in the very moment between two steps of another operation, brought there by the observer."""

from __future__ import annotations

import pytest

from poolproof import LeaseRevoked, Pool, PoolClosed, PoolEvent
from poolproof.errors import PoolError


class Closer:
    """An observer that closes the pool as soon as it has seen a row."""

    def __init__(self, row: str, *, force: bool = False) -> None:
        self.row = row
        self.force = force
        self.pool: Pool[object] | None = None

    def __call__(self, event: PoolEvent) -> None:
        if self.pool is not None and any(fired.row == self.row for fired in event.fired):
            pool, self.pool = self.pool, None
            pool.close(force=self.force)


@pytest.mark.clause("NEVER-STALE", "LEASE-REVOKED")
@pytest.mark.parametrize("row", ["GRANT-FREE", "BUILD-OK"])
def test_what_is_revoked_before_its_check_is_not_checked(row: str) -> None:
    def check(resource: object) -> bool:
        checked.append(resource)
        return True

    checked: list[object] = []
    closer = Closer(row, force=True)
    given = [object()] if row == "GRANT-FREE" else None
    pool = Pool(object, resources=given, check=check, observer=closer)
    closer.pool = pool
    with pytest.raises((PoolClosed, LeaseRevoked)):
        pool.acquire()
    assert [] == checked
    assert 0 == pool.stats().live


@pytest.mark.clause("CLOSE-REFUSES")
@pytest.mark.parametrize("sizes", [(1, 2), (2, 1)])
def test_a_resize_that_took_effect_before_the_close_returns(sizes: tuple[int, int]) -> None:
    closer = Closer("RESIZE")
    pool = Pool(object, max_size=sizes[0], observer=closer)
    closer.pool = pool
    pool.resize(sizes[1])
    assert sizes[1] == pool.stats().limit
    with pytest.raises(PoolError):
        pool.resize(3)
