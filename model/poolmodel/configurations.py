"""The scopes that are explored on every run; together they fire every row.

The ordinary size is 3 clients and 2 slots. Each scope turns on the options whose interplay it is about, and lets
loose those rows of the environment that bear on them, so that all of them together stay affordable; ``everything``
lets loose all rows at once on a smaller pool.
"""

from __future__ import annotations

from dataclasses import replace

from poolmodel.explore import OUTSIDE, Scope
from poolmodel.policies import ACQUIRES
from poolmodel.state import Config

# What every pool goes through, whatever its options.
COMMON = ACQUIRES | {
    "WITHDRAW",
    "BUILD-OK",
    "BUILD-LATE",
    "BUILD-FAILED",
    "BUILD-LOST",
    "BUILD-ABANDONED",
    "RELEASE",
    "RELEASE-RESET",
    "DISCARD",
    "RESET-OK",
    "RESET-FAILED",
    "ADOPT",
    "DESTROYED",
    "EXPIRE",
    "REFILL",
    "RETRY",
    "CLOSE",
}


def _scope(name: str, config: Config, *more: str, **rest: object) -> Scope:
    return replace(Scope(name, config, rows=COMMON | set(more)), **rest)  # type: ignore[arg-type]


SCOPES: dict[str, Scope] = {
    scope.name: scope
    for scope in (
        _scope("ordinary", Config(limit=2), "AGE", "ABANDON", "ORPHAN", "DETACH", "REVOKE"),
        _scope("reset", Config(limit=2, reset=True), "AGE", "RETIRE", "ABANDON", "ORPHAN"),
        _scope("lease-reset", Config(limit=2, lease_reset=True, order="fifo"), "RETIRE", "ABANDON", "ORPHAN"),
        _scope("check", Config(limit=2, check=True), "CHECK-FAILED", "CHECK-REFUSED", "INSPECT", "AGE", "ORPHAN"),
        _scope(
            "min-size",
            Config(limit=3, min_size=2, check=True, order="fifo"),
            "CHECK-FAILED",
            "CHECK-REFUSED",
            "SHRINK",
            "DETACH",
            clients=2,
        ),
        _scope("resize", Config(limit=2, lease_reset=True), "RESIZE", "SHRINK", limits=(0, 1, 2)),
        _scope("renew", Config(limit=2, min_size=1, reset=True), "RENEW", "REMOVE-FREE", "RETIRE", "DETACH"),
        _scope(
            "given",
            Config(limit=2, factory=False),
            "ADD",
            "REMOVE-FREE",
            "RETIRE",
            "DETACH",
            "SHRINK",
            resources=(None, 1),
        ),
        _scope(
            "empty-raises",
            Config(limit=2, factory=False, when_empty="raise", max_waiting=1),
            "ADD",
            "REMOVE-FREE",
            "AGE",
        ),
        _scope("busy", Config(limit=2, max_waiting=1, order="fifo"), "AGE", "ADD", "RENEW"),
        _scope("never-wait", Config(limit=2, max_waiting=0, min_size=1), "AGE", "SHRINK"),
        _scope("fork", Config(limit=2, min_size=1), "FORK", "ADD", "DETACH"),
        _scope("finite", Config(limit=2, check=True, reset=True), "CHECK-FAILED", "CHECK-REFUSED", rounds=1),
        _scope("lifted", Config(limit=1, min_size=1), "RESIZE", limits=(None,), rounds=1),
        Scope(
            "everything",
            Config(limit=1, min_size=1, check=True, reset=True, max_waiting=1),
            clients=2,
            rows=OUTSIDE,
            limits=(1, 2),
            resources=(None, 1),
        ),
    )
}
