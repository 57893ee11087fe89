"""Memory: what a pool keeps beside each resource."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

from benchmarks.plan import Plan
from benchmarks.subjects import Subject, Thing, available

TITLE = "Memory"


def run(plan: Plan) -> dict[str, Any]:
    """Bytes per resource, free and held. Allocations are counted, so that there is no spread."""
    subjects, missing = available()
    rows = [{"name": subject.name, **per_resource(subject, plan.pooled)} for subject in subjects]
    return {"pooled": plan.pooled, "rows": rows, "missing": missing}


def per_resource(subject: Subject, count: int) -> dict[str, float]:
    """Bytes for each of *count* resources: in the pool, and when all of them are out and their leases are kept."""
    things = [Thing() for _ in range(count)]
    subject.make([Thing(), Thing()]).close()  # whatever is imported or cached on the way
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        face = subject.make(things)
        gc.collect()
        pooled = tracemalloc.get_traced_memory()[0] - before
        leases = [face.acquire() for _ in range(count)]
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    for lease in leases:
        face.release(lease)
    face.close()
    return {"free": pooled / count, "held": held / count}
