"""The shipped pool under real threads that nobody schedules.

An ordinary run takes a few seconds. ``POOLPROOF_LOAD_SECONDS=600 python -m pytest -m exhaustive tests/uncontrolled``
takes as long as it says (60 seconds if it says nothing).
"""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from uncontrolled.load import Load, Owned

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fifo and least": {"order": "fifo", "min_size": 1, "max_uses": 7},
    "callbacks": {"reset": Owned.use, "check": lambda owned: owned.use() is None},
    "bounded": {"max_waiting": 1, "max_free": 1},
}


@pytest.mark.clause("EXCLUSIVE", "CONSERVATION", "LEASE-ONCE", "DESTROY-ONCE", "WAIT-ENDS", "SNAPSHOT-CONSISTENT")
@pytest.mark.parametrize("observed", [True, False], ids=["observed", "unobserved"])
@pytest.mark.parametrize("name", OPTIONS)
def test_nothing_goes_wrong_under_load(name: str, observed: bool, seed: int) -> None:
    """Observed, every commit is replayed through the model; unobserved, acquire and release take their quick way."""
    load = Load(f"{seed} {name}", steps=500 if observed else 3_000, observed=observed, **OPTIONS[name])
    assert [] == load.run(), f"seed {seed}"


@pytest.mark.exhaustive
@pytest.mark.timeout(0)
@pytest.mark.clause("EXCLUSIVE", "CONSERVATION", "LEASE-ONCE", "DESTROY-ONCE", "WAIT-ENDS", "SNAPSHOT-CONSISTENT")
def test_nothing_goes_wrong_for_long(seed: int) -> None:
    """Round after round, each with a seed of its own, until the time is up."""
    seconds = float(os.environ.get("POOLPROOF_LOAD_SECONDS", "60"))
    until, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for name, options in OPTIONS.items():
            load = Load(f"{seed} {name} {rounds}", steps=400, observed=rounds % 2 == 0, **options)
            assert [] == load.run(), f"seed {seed}, round {rounds}, {name}"
        rounds += 1
    print(f"{rounds} rounds of {len(OPTIONS)} pools in {seconds:g} s")
