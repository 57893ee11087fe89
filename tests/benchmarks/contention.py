"""Threads that want more than there is. The hold is a wait for input that does not come: it gives the processor up."""

from __future__ import annotations

import dataclasses
import itertools
import select
import threading
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.crowds import Bout, Member, summary
from benchmarks.plan import Plan
from benchmarks.subjects import BASELINE, Face, Subject, Thing, available

TITLE = "Threads that wait"


@dataclass(frozen=True)
class Cell:
    """So many threads share so many resources and hold each for so many seconds."""

    threads: int
    resources: int
    hold: float


def run(plan: Plan) -> dict[str, Any]:
    """Every pool in every cell, all of them shuffled in each round."""
    subjects, missing = available()
    missing |= {each.name: "not for threads" for each in subjects if not each.threads}
    cells = [Cell(*cell) for cell in itertools.product(plan.threads, plan.resources, plan.holds)]
    order = [(cell, subject) for cell in cells for subject in subjects if subject.threads]
    bouts: dict[tuple[Cell, Subject], list[Bout]] = {each: [] for each in order}
    for _ in range(plan.bouts):
        plan.random.shuffle(order)
        for cell, subject in order:
            bouts[cell, subject].append(bout(cell, subject, plan.bout))
    rows = [
        {**dataclasses.asdict(cell), "name": subject.name, **summary(taken)} for (cell, subject), taken in bouts.items()
    ]
    return {"seconds": plan.bout, "rounds": plan.bouts, "baseline": BASELINE, "rows": rows, "missing": missing}


def bout(cell: Cell, subject: Subject, seconds: float) -> Bout:
    face = subject.make([Thing() for _ in range(cell.resources)])
    crowd = Crowd(face, cell, seconds)
    try:
        return crowd.run()
    finally:
        face.close()


class Crowd:
    """Threads that acquire, hold and release until the time is over."""

    def __init__(self, face: Face, cell: Cell, seconds: float) -> None:
        self.face, self.cell, self.seconds = face, cell, seconds
        self.gate = threading.Event()
        self.end = 0.0
        self.members = [Member() for _ in range(cell.threads)]

    def run(self) -> Bout:
        threads = [threading.Thread(target=self.work, args=(member,), daemon=True) for member in self.members]
        for thread in threads:
            thread.start()
        cpu = time.process_time()
        self.end = time.perf_counter() + self.seconds
        self.gate.set()
        for thread in threads:
            thread.join()
        return Bout.of(self.members, self.seconds, time.process_time() - cpu)

    def work(self, member: Member) -> None:
        acquire, release, resource = self.face.acquire, self.face.release, self.face.resource
        clock, hold = time.perf_counter, self.cell.hold
        self.gate.wait()
        end = self.end
        while (begun := clock()) < end:
            lease = acquire()
            thing, now = resource(lease), clock()
            member.got(begun, now, thing.freed)
            if hold:
                select.select((), (), (), hold)
            member.done += now < end  # what came after the end shows only as a long wait
            thing.freed = clock()
            release(lease)
