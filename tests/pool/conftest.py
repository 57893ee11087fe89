"""The fixtures of the tests of the pool. Every pool made here is recounted when its test is over."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pool.rig import ClockRuntime, Workshop, complaints
from poolproof import Pool

MakePool = Callable[..., Pool[Any]]


@pytest.fixture
def clock() -> ClockRuntime:
    return ClockRuntime()


@pytest.fixture
def shop() -> Workshop:
    return Workshop()


@pytest.fixture
def make(clock: ClockRuntime, shop: Workshop) -> Iterator[MakePool]:
    """Make pools of things on the clock; afterwards no count may be wrong, and each pool closes when forced to."""
    pools: list[Pool[Any]] = []

    def build(*arguments: Any, **options: Any) -> Pool[Any]:
        if not arguments and "resources" not in options:
            options.setdefault("create", shop.create)
        pool: Pool[Any] = Pool(*arguments, **{"destroy": shop.destroy, "runtime": clock, "name": "db", **options})
        pools.append(pool)
        return pool

    yield build
    gc.collect()
    shop.on_create = shop.on_destroy = shop.on_reset = shop.on_check = None
    clock.on_park = clock.on_timeout = None
    for pool in pools:
        assert complaints(pool) == []
        pool.close(force=True)
        assert complaints(pool) == []
