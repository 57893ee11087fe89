"""Many threads whose deadlines pass together: how late each gets its answer. And stats() beside acquires."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.plan import Plan
from benchmarks.rounds import percentile, spread
from benchmarks.subjects import OURS, Face, Subject, Thing, available

TITLE = "Deadlines that pass together"
STACK = 256 * 1024
LEAD = 1.5e-3  # seconds per thread until the deadline, so that all have begun to wait


def run(plan: Plan) -> dict[str, Any]:
    """Every pool that knows timeouts, with each number of threads; and stats() beside acquires."""
    subjects, missing = available()
    rows = []
    for count in plan.deadlines:
        order = [subject for subject in subjects if subject.threads]
        plan.random.shuffle(order)
        for subject in order:
            face = subject.make([Thing()])
            if face.timed is None:
                missing[subject.name] = "knows no timeouts"
            else:
                rows.append({"name": subject.name, "threads": count, **together(face, count)})
            face.close()
    return {"rows": rows, "stats": stats(plan, subjects), "missing": missing}


def together(face: Face, count: int) -> dict[str, Any]:
    """Let *count* threads wait until one deadline; seconds that each was late, and how many had begun too late."""
    held, late, begun = face.acquire(), [], []
    deadline = time.monotonic() + 0.05 + count * LEAD
    timed = face.timed
    assert timed is not None

    def work() -> None:
        left = deadline - time.monotonic()
        begun.append(left)
        try:
            face.release(timed(max(left, 0.001)))
        except Exception:  # each pool has an error of its own for this
            late.append(time.monotonic() - deadline)

    before = threading.stack_size(STACK)
    threads, refused = started(work, count)
    threading.stack_size(before)
    for thread in threads:
        thread.join()
    face.release(held)
    return {
        "refused": refused,
        "begun late": sum(left <= 0.001 for left in begun),
        "p50": percentile(late, 50), "p99": percentile(late, 99), "longest": max(late, default=None),
    }  # fmt: skip


def started(work: Callable[[], None], count: int) -> tuple[list[threading.Thread], str | None]:
    """As many threads as the system allows, up to *count*; and what it said if they are fewer."""
    threads: list[threading.Thread] = []
    for _ in range(count):
        thread = threading.Thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            return threads, f"only {len(threads)} threads: {error}"
        threads.append(thread)
    return threads, None


def stats(plan: Plan, subjects: list[Subject]) -> list[dict[str, Any]]:
    """Our cycles beside a thread that asks for stats() all the time, and beside one that merely computes."""
    face = next(subject for subject in subjects if subject.name == OURS).make([Thing() for _ in range(4)])
    beside: dict[str, Callable[[], object]] = {"stats()": face.pool.stats, "computing": lambda: sum(range(20))}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in beside}
    order = [*beside]
    for _ in range(plan.bouts):
        plan.random.shuffle(order)
        for name in order:
            taken[name].append(disturbed(face, beside[name], plan.bout))
    return [
        {"beside": name, "rate": spread(rate for rate, _ in bouts), "longest": spread(wait for _, wait in bouts)}
        for name, bouts in taken.items()
    ]


def disturbed(face: Face, disturb: Callable[[], object], seconds: float) -> tuple[float, float]:
    """Cycles per second, and the longest of them, while another thread does something else all the time."""
    over = threading.Event()

    def other() -> None:
        while not over.is_set():
            disturb()

    disturber = threading.Thread(target=other)
    disturber.start()
    done, longest, end = 0, 0.0, time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        face.release(face.acquire())
        longest = max(longest, time.perf_counter() - begun)
        done += 1
    over.set()
    disturber.join()
    return done / seconds, longest
