"""Uncontended: one thread acquires and releases; by the shortest documented way, and by a ``with`` block."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from benchmarks.plan import Plan
from benchmarks.rounds import loop, side_by_side
from benchmarks.subjects import BASELINE, OURS, Face, Thing, available, ours
from poolproof import Pool

POOLED = 4
FORMS = ("acquire and release", "with")
TITLE = "Uncontended cycles"


def run(plan: Plan) -> dict[str, Any]:
    """Every form of every pool, side by side; and what an observer costs ours."""
    subjects, missing = available()
    faces = {subject.name: subject.make([Thing() for _ in range(POOLED)]) for subject in subjects}
    runs: dict[tuple[str, str], Callable[[int], None]] = {}
    for name, face in faces.items():
        for form, statement in zip(FORMS, (face.cycle, face.block), strict=True):
            if statement is not None:
                runs[name, form] = loop(statement, {"pool": face.pool, "closing": contextlib.closing})
    runs |= observability(faces[OURS])
    timings = side_by_side(runs, plan)
    for face in faces.values():
        face.close()
    rows = [{"name": name, "form": form, **timing.as_json()} for (name, form), timing in timings.items()]
    return {"pooled": POOLED, "baseline": BASELINE, "rows": rows, "missing": missing}


def observability(plain: Face) -> dict[tuple[str, str], Callable[[int], None]]:
    """With an observer that does nothing; and the two questions that a cycle without one has to ask."""
    things = [Thing() for _ in range(POOLED)]
    watched = Pool(resources=things, max_size=len(things), observer=lambda event: None)
    asked = "pool._plain\npool._driver.release_quiet"
    return {
        (OURS, "acquire and release, observed"): loop(ours(things).cycle, {"pool": watched}),
        (OURS, "asking whether there is an observer"): loop(asked, {"pool": plain.pool}),
    }
