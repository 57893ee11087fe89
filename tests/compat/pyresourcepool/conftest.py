"""Pools that a test leaves behind with objects out, in cycles of garbage, are collected before the next one."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest

from poolproof import PoolWarning


@pytest.fixture(autouse=True)
def _garbage_is_collected() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PoolWarning)  # in a cycle, a lease may be finalized before its pool
        gc.collect()
