"""Record what a pool does, and check the record against the model and against the counts.   [TRACE-REPLAYS]

    recorder = Recorder()
    pool = Pool(connect, max_size=4, observer=recorder)
    ...
    print(replay(recorder.events()))

`replay` checks a trace twice, in ways that share no code. It drives ``poolmodel``, the state machine that was written
from ``spec/`` alone, through the trace: every commit must be allowed in the state reached, and fire the rows that the
model fires, in their order, with their numbers of slots and tickets. And it recounts, in a page of plain code
(`recount`), who held what, who waited, and which resources came and went.

Time is taken on trust, because a trace has none: where a slot is found too old (the mark AGE), the model is told so,
if the pool has a max_age; and which free slot was unused for longest is believed of slots that came back from a reset
or an inspection. Everything else is checked. How often a slot was granted, for max_uses, is counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from poolproof.replay.findings import Finding
from poolproof.replay.model import Model
from poolproof.replay.recorder import Recorder, TraceError, is_refusal
from poolproof.replay.recount import Recount
from poolproof.reports import PoolEvent, PoolStats

__all__ = ["Finding", "Recorder", "TraceError", "Verdict", "replay"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `replay` found: nothing wrong, or `findings`. The counts are recounted from the rows."""

    name: str
    commits: int
    refusals: int
    snapshots: int
    replayed: int
    grants: int
    hand_offs: int
    created: int
    added: int
    detached: int
    destroyed: int
    left: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def conservation(self) -> str:
        """Where every resource went, as a sum."""
        return (
            f"created {self.created} + added {self.added} = "
            f"there {self.left} + detached {self.detached} + destroyed {self.destroyed}"
        )

    def holds(self, clause: str) -> bool:
        """Whether nothing was found against this clause."""
        return all(finding.clause != clause for finding in self.findings)

    def __str__(self) -> str:
        lines = [
            f"pool {self.name!r}: {self.commits} commits, {self.refusals} refusals, {self.snapshots} snapshots",
            f"  {self.replayed} commits replayed through the model [TRACE-REPLAYS]",
            f"  {self.conservation} [CONSERVATION]",
            f"  {self.grants} grants [EXCLUSIVE], {self.hand_offs} of them to waiting tickets in order [WAIT-FIFO]",
        ]
        lines += [f"version {at}: [{clause}] {what}" for clause, at, what in self.findings]
        return "\n".join([*lines, "the trace holds" if self.ok else "the trace does NOT hold"])


def replay(events: Iterable[PoolEvent], snapshots: Iterable[PoolStats] = ()) -> Verdict:
    """Judge a trace: events in the order of their versions, from version 0 on, as `Recorder.events` gives them.

    Args:
        events: the trace. It may end before the pool did.
        snapshots: stats() of the same pool at any moments, each compared with the model at its version.
    Returns:
        The verdict. The model stops where it first disagrees; the recount goes on to the end.
    Raises:
        TraceError: the trace does not begin at the pool's beginning, so nothing in it can be judged.
    Cost: for small pools about 0.1 ms for each event.
    """
    trace, looks = list(events), sorted(snapshots, key=lambda stats: stats.version)
    setup = trace[0].setup if trace else None
    if setup is None:
        raise TraceError("the trace does not begin with version 0, where a pool tells its setup")
    recount, model = Recount(setup), Model(setup, trace[0].limit)
    flaws = list(missing_and_doubled(trace))
    end = flaws[0].version if flaws else trace[-1].version + 1  # the model follows up to here
    pending, found = deque(looks), list[Finding]()
    for event in [*trace, None]:
        while pending and (event is None or pending[0].version < event.version):
            stats = pending.popleft()
            if stats.version < end:
                recount.compare(stats)
                found.extend(() if found else model.compare(stats))
            elif not flaws:
                flaws.append(Finding("TRACE-REPLAYS", stats.version, "the trace ends before this snapshot"))
        if event is not None:
            if not found and event.version < end:
                found.extend(model.follow(event))
            recount.follow(event)
    refusals = sum(map(is_refusal, trace))
    return Verdict(
        setup.name, sum(event.version > 0 for event in trace) - refusals, refusals, len(looks), model.version,
        recount.grants, recount.hand_offs, recount.created, recount.added, recount.detached, recount.destroyed,
        len(recount.there), tuple(flaws + found + recount.findings),
    )  # fmt: skip


def missing_and_doubled(trace: list[PoolEvent]) -> Iterator[Finding]:
    """Every commit is there, once."""
    last = -1
    for event in trace:
        if is_refusal(event):
            continue
        if event.version <= last:
            what = "two commits of one version: is this the trace of two pools?"
            yield Finding("TRACE-REPLAYS", event.version, what)
        elif event.version > last + 1:
            one = event.version == last + 2
            gap = f"version {last + 1} is" if one else f"versions {last + 1} to {event.version - 1} are"
            yield Finding("TRACE-REPLAYS", last + 1, f"{gap} missing; nothing is replayed from there on")
        last = event.version
