"""How much is measured: the full run, and the smoke run of a test."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

HOLD = 50e-6


@dataclass(frozen=True)
class Plan:
    """What one run of the suite measures. Times in seconds."""

    seed: int
    quick: bool = False
    rounds: int = 15
    sample: float = 0.03  # one sample of a statement
    bout: float = 0.3  # one run of a crowd
    bouts: int = 5  # rounds of crowds, which take long
    threads: tuple[int, ...] = (2, 8, 32, 128)
    resources: tuple[int, ...] = (1, 4, 16)
    holds: tuple[float, ...] = (0.0, HOLD)
    sizes: tuple[int, ...] = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
    queues: tuple[int, ...] = (1, 10, 100, 1_000, 10_000)
    deadlines: tuple[int, ...] = (1_000, 10_000)
    pooled: int = 10_000  # resources in the pools whose memory is measured
    tasks: tuple[int, ...] = (8, 32, 128)
    random: random.Random = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "random", random.Random(self.seed))


def quick(seed: int) -> Plan:
    """Everything once and small: shows that it runs, measures nothing worth keeping."""
    return Plan(
        seed=seed, quick=True, rounds=2, sample=0.001, bout=0.01, bouts=1, threads=(2, 8), resources=(4,),
        sizes=(10, 1_000), queues=(1, 100), deadlines=(50,), pooled=100, tasks=(8,),
    )  # fmt: skip
