"""Statements side by side: the same process, shuffled rounds, wall time and cpu time, medians and quartiles."""

from __future__ import annotations

import itertools
import statistics
import textwrap
import time
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.plan import Plan

Key = TypeVar("Key", bound=Hashable)
Spread = list[float]  # lower quartile, median, upper quartile: as it stands in the JSON

_BODY = """\
{prefix}def run(loops, {names}):
    for _ in repeat(None, loops):
{statement}
"""


@dataclass(frozen=True)
class Timing:
    """What one execution of a statement took, in nanoseconds, and how often each sample executed it."""

    wall: Spread
    cpu: Spread
    loops: int

    def as_json(self) -> dict[str, Any]:
        return {"wall": self.wall, "cpu": self.cpu, "loops": self.loops}


def spread(values: Iterable[float]) -> Spread:
    """Quartiles; of a single value, the value itself."""
    found = [*values]
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive") if len(found) > 1 else found * 3
    return [low, middle, high]


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The value that *percent* of *values* do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def loop(statement: str, names: dict[str, Any]) -> Callable[[int], None]:
    """A function that executes *statement* as often as it is told; what it uses are its local variables."""
    run: Callable[[int], None] = _compiled("", statement, names)
    return run


def async_loop(statement: str, names: dict[str, Any]) -> Callable[[int], Coroutine[Any, Any, None]]:
    """The same for a statement that awaits."""
    run: Callable[[int], Coroutine[Any, Any, None]] = _compiled("async ", statement, names)
    return run


def _compiled(prefix: str, statement: str, names: dict[str, Any]) -> Any:
    arguments = ", ".join(f"{name}={name}" for name in names)
    text = _BODY.format(prefix=prefix, names=arguments, statement=textwrap.indent(statement, " " * 8))
    scope = {**names, "repeat": itertools.repeat}
    exec(compile(text, "<benchmark>", "exec"), scope)
    return scope["run"]


def side_by_side(runs: Mapping[Key, Callable[[int], object]], plan: Plan) -> dict[Key, Timing]:
    """Time all *runs*, in an order that is shuffled in each round. The garbage collector stays on."""
    loops = {key: _enough(run, plan.sample) for key, run in runs.items()}
    samples: dict[Key, list[tuple[float, float]]] = {key: [] for key in runs}
    order = [*runs]
    for _ in range(plan.rounds):
        plan.random.shuffle(order)
        for key in order:
            samples[key].append(_sample(runs[key], loops[key]))
    return {
        key: Timing(spread(wall for wall, _ in taken), spread(cpu for _, cpu in taken), loops[key])
        for key, taken in samples.items()
    }


def _sample(run: Callable[[int], object], loops: int) -> tuple[float, float]:
    """Nanoseconds per execution: of the clock, and of this process's cpu time."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(loops)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return wall / loops * 1e9, cpu / loops * 1e9


def _enough(run: Callable[[int], object], seconds: float) -> int:
    """How often to execute it so that a sample takes about *seconds*."""
    loops = 1
    while (taken := _sample(run, loops)[0] * loops / 1e9) < seconds / 4:
        loops *= 2
    return max(1, round(loops * seconds / taken))
