"""The targets, and whether what was measured meets them. Ratios are of medians within one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.subjects import BASELINE, OURS, SUBJECTS

Data = dict[str, Any]
HOLD, RESOURCES = 50e-6, 4
CYCLE, WITH = "acquire and release", "with"
SAFE = {subject.name for subject in SUBJECTS if subject.threads and subject.pools and subject.name != OURS}
POOLS = {subject.name for subject in SUBJECTS if subject.pools and subject.name != OURS}
BARGING = {subject.name for subject in SUBJECTS if subject.threads and subject.pools and not subject.queues}


@dataclass(frozen=True)
class Finding:
    """One target: its number, what it says, the figure measured, and whether that is good enough."""

    number: int
    says: str
    figure: str
    met: bool


def findings(families: dict[str, Any]) -> list[Finding]:
    """What can be said of the families that were measured, in the order of the targets."""
    found: list[Finding] = []
    for name, judge in JUDGES.items():
        if name in families:
            entry = families[name]
            found.extend(judge(entry["data"], bool(entry["machine"]["compiled"])))
    return sorted(found, key=lambda each: each.number)


def cycles(data: Data, compiled: bool) -> Iterator[Finding]:
    times = {(row["name"], row["form"]): row["wall"][1] for row in data["rows"]}
    ours, bound = times[OURS, WITH], 0.3 if compiled else 0.65
    yield at_most(1, f"`with`: at most {bound} × hand-written Condition", ours / times[BASELINE, WITH], bound)
    yield ahead(1, "`with`: ahead of every peer", ours, times, POOLS, WITH)
    ours, bound = times[OURS, CYCLE], 0.35 if compiled else 0.8
    yield at_most(2, f"acquire and release: at most {bound} × LifoQueue", ours / times["queue.LifoQueue", CYCLE], bound)
    yield ahead(2, "acquire and release: ahead of every thread-safe peer", ours, times, SAFE, CYCLE)
    asked = times[OURS, "asking whether there is an observer"] / ours
    yield Finding(7, "no observer: at most 2 % of a cycle", f"{asked:.1%}", asked <= 0.02)


def contention(data: Data, compiled: bool) -> Iterator[Finding]:
    for threads in (8, 32):
        cell = {
            row["name"]: row
            for row in data["rows"]
            if (row["threads"], row["resources"], row["hold"]) == (threads, RESOURCES, HOLD)
        }
        if OURS not in cell:
            continue
        ours, where = cell[OURS], f"{threads} threads over {RESOURCES}, hold 50 µs"
        best = max((name for name in cell if name in SAFE), key=lambda name: float(cell[name]["rate"][1]))
        rate = ours["rate"][1] / cell[best]["rate"][1]
        says = f"{where}: throughput at least 0.9 × the best peer"
        yield Finding(3, says, f"{rate:.2f} × {best}", rate >= 0.9)
        share = ours["share"][1]
        yield Finding(3, f"{where}: share of the least served at least 0.95", f"{share:.3f}", share >= 0.95)
        least = min((name for name in cell if name in BARGING), key=lambda name: float(cell[name]["longest"][1]))
        longest = ours["longest"][1] / cell[least]["longest"][1]
        says = f"{where}: longest wait at most 0.1 × the shortest longest wait of a barging peer"
        yield Finding(3, says, f"{longest:.3f} × {least}", longest <= 0.1)
        if ours["p50"]:
            middle = ours["p50"][1] * 1e6
            yield Finding(4, f"{where}: hand-off p50 at most 15 µs", f"{middle:.1f} µs", middle <= 15)


def scale(data: Data, compiled: bool) -> Iterator[Finding]:
    costs = {row["size"]: row["wall"][1] for row in data["cycles"] if row["name"] == OURS}
    few, many = min(costs), max(costs)
    says = f"cycle at {many:,} resources at most 2 × that at {few}".replace(",", " ")
    yield at_most(5, says, costs[many] / costs[few], 2)
    waiting = {(row["operation"], row["length"]): row["wall"][1] for row in data["waiters"]}
    for operation in dict.fromkeys(name for name, _ in waiting):
        lengths = [length for name, length in waiting if name == operation]
        many, few = max(lengths), min((length for length in lengths if length >= 100), default=max(lengths))
        if few == many:
            continue
        says = f"{operation} with {many:,} waiting at most 2 × that with {few}".replace(",", " ")
        yield at_most(5, says, waiting[operation, many] / waiting[operation, few], 2)


def deadlines(data: Data, compiled: bool) -> Iterator[Finding]:
    rows = [row for row in data["rows"] if row["name"] == OURS]
    if rows:
        row = max(rows, key=lambda row: int(row["threads"]))
        fine = row["p99"] is not None and row["p99"] <= 0.1 and not row["refused"] and not row["begun late"]
        late = "nobody was late" if row["p99"] is None else f"{row['p99'] * 1e3:.1f} ms"
        says = f"{row['threads']:,} deadlines together: p99 at most 100 ms late".replace(",", " ")
        yield Finding(5, says, late + (f", {row['begun late']} began late" if row["begun late"] else ""), fine)
    beside = {row["beside"]: row for row in data["stats"]}
    waits = beside["stats()"]["longest"][1] / beside["computing"]["longest"][1]
    says = "stats() all the time: longest acquire at most 2 × that beside mere computing"
    yield at_most(7, says, waits, 2)


def memory(data: Data, compiled: bool) -> Iterator[Finding]:
    free = next(row["free"] for row in data["rows"] if row["name"] == OURS)
    yield Finding(5, "memory beside a free resource at most 300 bytes", f"{free:.0f} bytes", free <= 300)


def tasks(data: Data, compiled: bool) -> Iterator[Finding]:
    times = {(row["name"], row["form"]): row["wall"][1] for row in data["rows"]}
    ours = times.get(("poolproof.aio", CYCLE))
    if ours is None:
        return
    queue = ours / times["asyncio.Queue", CYCLE]
    yield at_most(6, "asyncio: acquire and release at most 1 × asyncio.Queue, get and put_nowait", queue, 1)
    yield ahead(
        6, "asyncio: ahead of the pools of asyncpg and psycopg", ours, times, {"asyncpg", "psycopg_pool"}, CYCLE
    )


def at_most(number: int, says: str, ratio: float, bound: float) -> Finding:
    return Finding(number, says, f"{ratio:.2f}", ratio <= bound)


def ahead(
    number: int, says: str, ours: float, times: dict[tuple[str, str], float], peers: set[str], form: str
) -> Finding:
    """Faster than the fastest of *peers* that was measured."""
    there = [name for name, its in times if name in peers and its == form]
    if not there:
        return Finding(number, says, "no peer is installed", False)
    fastest = min(there, key=lambda name: times[name, form])
    ratio = ours / times[fastest, form]
    return Finding(number, says, f"{ratio:.2f} × {fastest}", ratio < 1)


JUDGES: dict[str, Callable[[Data, bool], Iterator[Finding]]] = {
    "cycles": cycles, "contention": contention, "scale": scale, "deadlines": deadlines, "memory": memory,
    "asyncio": tasks,
}  # fmt: skip
