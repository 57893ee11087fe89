"""Every schedule of a program, or those with few preemptions, each moment explored once.

Depth first and by repetition: a run follows the choices of the one before up to the last that has an alternative
left, takes that, and goes on. A run that comes to a moment where an earlier one has been ends its search there and
runs on. Two moments are the same if their pictures are equal and every thread has seen the same since its present
operation began; see `Explorer.key`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from poolproof.conformance.clients import Client
from poolproof.conformance.crew import DONE, TIMED, Worker
from poolproof.conformance.picture import picture
from poolproof.conformance.points import Who
from poolproof.conformance.runs import Run, run
from poolproof.conformance.scene import Scene, ignore
from poolproof.conformance.standing import Look, Standing
from poolproof.conformance.twins import Numbers, in_order, inverse, recoded, renamed, twins_of
from poolproof.core.lists import queue_items
from poolproof.core.values import Retired

UNBOUNDED = 1_000_000
NOBODY: frozenset[int] = frozenset()
PERFORM = Client.run.__code__  # the frame below which a client's own begin


class Node:
    """A decision that a run came to: what can be chosen, which choice is taken, and what the threads had seen."""

    __slots__ = ("alternatives", "asleep", "at", "ordinary", "preempted", "preempts", "seen", "silent")

    def __init__(
        self, alternatives: list[int], ordinary: int, asleep: frozenset[int], preempts: bool, preempted: int, seen: Any
    ) -> None:
        self.alternatives = alternatives
        self.ordinary = ordinary
        self.asleep = asleep  # what need not be chosen: it was, before steps that it commutes with
        self.silent: set[int] = set()  # the choices whose step changed nothing that others can see
        self.at = 0
        self.preempts = preempts  # whether every choice but the first takes the turn from one who could go on
        self.preempted = preempted
        self.seen = seen


@dataclass
class Search:
    """What a search has found. It is complete only if ``complete`` says so: no run failed, no limit was met."""

    program: str
    bound: int | None
    runs: int = 0
    pruned: int = 0
    moments: int = 0
    steps: int = 0
    longest: int = 0
    seconds: float = 0.0
    complete: bool = False
    verdicts: Counter[str] = field(default_factory=Counter)
    outcomes: set[Any] = field(default_factory=set)  # the clients' results, and where the pool ended
    pictures: set[Any] = field(default_factory=set)  # the world after every commit
    failure: Run | None = None
    choices: tuple[tuple[int, int], ...] = ()

    @property
    def verdict(self) -> str:
        if self.failure is not None:
            return self.failure.verdict
        return "ok" if self.complete else "limit"


class Explorer:
    """The policy that goes through all schedules with at most *bound* preemptions."""

    def __init__(self, scene: Scene, bound: int | None = None, merge: bool = True, twins: bool = True) -> None:
        self.scene = scene
        self.crew = scene.crew
        self.bound = UNBOUNDED if bound is None else bound
        self.merge = merge
        self.stack: list[Node] = []
        self.visited: dict[Any, Any] = {}
        self.names: dict[Any, int] = {}
        self.named: list[Any] = []
        self.renamings: dict[tuple[int, Numbers], int] = {}
        self.twins = twins_of(scene.program.threads) if twins else ()
        self.same: Numbers = tuple(range(self.crew.size))
        self._name(())  # 0
        self.numbers = self.same  # which thread stands for which, at the latest moment
        self.begin()

    # One run.

    def begin(self) -> None:
        size = self.crew.size
        self.depth = 0
        self.known = len(self.stack)
        self.pruned = False
        self.asleep: frozenset[int] = NOBODY
        self.chosen = (-1, 0)  # the latest choice, and the stamp when it was taken
        self.latest: Node | None = None
        self.preempted = 0
        self.scene.judging = self.known == 0
        self.taken: list[int] = []  # the default choices behind the last node, which are no decisions
        self.local = [0] * size
        self.stamps = [0] * size
        self.worlds: list[int] = [0] * size
        self.standings: list[Standing | None] = [None] * size
        self.cached = -1
        self.standing_of: Any = None
        self.world_name = 0

    def pick(self, worker: Worker | None, enabled: list[int]) -> int:
        """Choose who runs."""
        depth = self.depth
        self.depth += 1
        if depth < self.known:
            return self._repeat(depth)
        me = -1 if worker is None else worker.number
        first = me if me in enabled else enabled[0]
        self._stepped()
        if self.pruned:
            return first
        preempts = first == me
        if preempts and self.preempted >= self.bound:
            alternatives = [first]
        else:
            alternatives = [first, *[code for code in enabled if code != first]]
        return self._decide(alternatives, preempts, me, enabled)

    def _stepped(self) -> None:
        """The step that was chosen last is over. If it changed nothing, whoever slept before sleeps on; and later,
        when others are chosen in its place, it sleeps itself."""
        code, stamp = self.chosen
        node, self.latest = self.latest, None
        if stamp != self.crew.stamp or self.bound < UNBOUNDED or not self.merge:
            self.asleep = NOBODY
        else:
            self.asleep -= {code}
            if node is not None:
                node.silent.add(code)

    def outcome(self, worker: Worker, count: int) -> int:
        """Choose what a callback does."""
        depth = self.depth
        self.depth += 1
        if depth < self.known:
            chosen = self._repeat(depth)
        elif self.pruned:
            return 0
        else:
            self.asleep = NOBODY
            chosen = self._decide(list(range(count)), False, worker.number, ["outcome"])
        # An outcome is not a thread: nobody sleeps for it, before or afterwards.
        self.asleep, self.latest = NOBODY, None
        if depth >= self.known - 1:
            self.local[worker.number] = self._name((self.local[worker.number], worker.points, "outcome", chosen))
        return chosen

    def _repeat(self, depth: int) -> int:
        node = self.stack[depth]
        code = node.alternatives[node.at]
        if depth == self.known - 1:
            self.local, self.stamps, self.worlds, self.standings = map(list, node.seen)
            self._renew_records()
            self.preempted = node.preempted + (node.preempts and code != node.ordinary)
            self.asleep = node.asleep | (node.silent & set(node.alternatives[: node.at]))
            self.chosen, self.latest = (code, self.crew.stamp), node
            self.scene.judging = True
        return code

    def _decide(self, alternatives: list[int], preempts: bool, me: int, enabled: list[Any]) -> int:
        asleep = self.asleep
        if self.merge:
            key = self.key(me, enabled)
            known = self.visited.get(key)
            if self.bound < UNBOUNDED:
                if known is not None and known <= self.preempted:
                    return self._prune(alternatives[0])
                self.visited[key] = self.preempted
            else:
                sleeping, back = recoded(asleep, self.numbers), inverse(self.numbers)
                if known is None:
                    self.visited[key] = sleeping
                elif known <= sleeping:
                    return self._prune(alternatives[0])
                else:
                    self.visited[key] = known & sleeping
                    asleep = asleep | (frozenset(alternatives) - recoded(known, back))
        wanted = [code for code in alternatives if code not in asleep]
        if not wanted:
            return self._prune(alternatives[0])
        seen = (tuple(self.local), tuple(self.stamps), tuple(self.worlds), tuple(self.standings))
        node = Node(wanted, alternatives[0], self.asleep, preempts, self.preempted, seen)
        self.stack.append(node)
        self.chosen, self.latest = (wanted[0], self.crew.stamp), node
        return wanted[0]

    def _prune(self, code: int) -> int:
        """From here on everything has been seen and judged in an earlier run."""
        self.pruned = True
        self.scene.judging = False
        return code

    def switched(self, before: Worker | None, after: Worker, code: int) -> None:
        """*after* sees what has become of the world since it was stopped; *before* knows it up to now."""
        if self.pruned or self.depth < self.known:
            return
        world, stamp, number = self._world(), self.crew.stamp, after.number
        if before is not None:
            self.worlds[before.number], self.stamps[before.number] = world, stamp
            if before.status is not DONE and self.standing_of != (before.number, stamp, before.points):
                self._look(before)
        if self.stamps[number] != stamp or self.worlds[number] != world:
            seen = (self.local[number], after.op, after.points, world, code >= self.crew.size)
            self.local[number] = self._name(seen)
            self.worlds[number], self.stamps[number] = world, stamp

    # Moments.

    def key(self, me: int, enabled: list[Any]) -> Any:
        """This moment. A thread in the middle of an operation is told by where it stands and all it has seen since
        the operation began; between operations, by its results."""
        if me >= 0 and self.crew.workers[me].status is not DONE:
            self._look(self.crew.workers[me])
        version = self.scene.atom.now[0]
        registers = held_records(self.scene)
        threads: list[Any] = []
        for worker, client in zip(self.crew.workers, self.scene.clients, strict=True):
            results = tuple(client.results)
            standing = self.standings[worker.number]
            if worker.status is DONE or standing is None:
                threads.append((worker.status, -1, results, (), (), (), 0.0, 0))
                continue
            threads.append((
                worker.status, worker.op, results, standing.place,
                tuple([each == version for each in standing.states]),
                tuple([registers.get(each, 0) for each in standing.records]),
                worker.deadline if worker.status is TIMED else 0.0, self._name(standing.frames),
            ))  # fmt: skip
        self.numbers = self._numbers(threads) if self.twins else self.same
        known = [(*thread[:-1], self._renamed(thread[-1])) for thread in threads]
        ordered = [known[number] for number in inverse(self.numbers)]
        bounded = self.numbers[me] if self.bound < UNBOUNDED and me >= 0 else None
        return (self._renamed(self._world()), *ordered, bounded, enabled == ["outcome"])

    def _numbers(self, threads: list[Any]) -> Numbers:
        """Under which numbers the threads appear in the key of this moment."""
        if any(each is not None and each.remembers for each in self.standings):
            return self.same
        places: dict[int, list[int]] = {number: [] for number in self.same}
        ledger = self.scene.atom.now[3]
        for place, ticket in enumerate(queue_items(ledger.queue, ledger.tail)):
            places[ticket.who[0]].append(place)
        for slot in self.scene.slots.values():
            who = slot.record[3]
            if isinstance(who, Who) and who.thread >= 0:
                places[who.thread].append(100 + slot.number)
        return in_order(self.twins, [(*thread[:-1], places[number]) for number, thread in enumerate(threads)])

    def _look(self, worker: Worker) -> None:
        """Note where *worker* stands, who is the caller."""
        number = worker.number
        history = self._name((self.local[number], worker.points))
        self.standings[number] = Look().standing(sys._getframe(1), PERFORM, history)
        self.standing_of = (number, self.crew.stamp, worker.points)

    def _renew_records(self) -> None:
        """This run has records of its own where the one before had others: ask the threads, who all stand still."""
        stale = [
            worker.number for worker, standing in zip(self.crew.workers, self.standings, strict=True)
            if standing is not None and standing.records and worker.status is not DONE
        ]  # fmt: skip
        if stale:
            frames = sys._current_frames()
            for number in stale:
                known = self.standings[number]
                assert known is not None
                frame: FrameType | None = frames[self.crew.workers[number].thread.ident or 0]
                records = Look().standing(frame, PERFORM, 0).records
                self.standings[number] = Standing(known.frames, known.states, records, known.place, known.remembers)

    def began(self, client: Any) -> None:
        """A client begins an operation: what it has seen before is told by its results."""
        if not self.pruned and self.depth >= self.known:
            self.local[client.number] = self._name((client.number, *client.results))
            self.standings[client.number] = None

    def _world(self) -> int:
        stamp = self.crew.stamp
        if self.cached != stamp:
            self.cached = stamp
            self.world_name = self._name(picture(self.scene))
        return self.world_name

    def _name(self, what: Any) -> int:
        name = self.names.get(what)
        if name is None:
            name = self.names[what] = len(self.named)
            self.named.append(what)
        return name

    def _renamed(self, name: int) -> int:
        """The name of the same, with the numbers that the threads have at this moment."""
        numbers = self.numbers
        if numbers == self.same:
            return name
        known = self.renamings.get((name, numbers))
        if known is None:
            known = self.renamings[name, numbers] = self._name(renamed(self.named[name], numbers))
        return known

    # From run to run.

    def advance(self) -> bool:
        """Turn to the next schedule; false if there is none."""
        stack = self.stack
        while stack:
            node = stack[-1]
            node.at += 1
            if node.at < len(node.alternatives):
                return True
            stack.pop()
        return False

    def choices(self) -> tuple[tuple[int, int], ...]:
        """The choices of this run that are not the first: at which decision, and which."""
        taken = [(depth, node.alternatives[node.at], node.ordinary) for depth, node in enumerate(self.stack)]
        return tuple((depth, code) for depth, code, ordinary in taken if code != ordinary)


def held_records(scene: Scene) -> dict[int, int]:
    """By whose identity each slot is held now: of the record in its register, or of the one it was marked over."""
    held = {}
    for slot in scene.slots.values():
        record = slot.record
        held[id(record)] = slot.number
        if isinstance(record[5], Retired):
            held[id(record[5].origin)] = -slot.number
    return held


def explore(
    scene: Scene, bound: int | None = None, *, merge: bool = True, twins: bool = True, most: int = 1_000_000
) -> Search:
    """Run every schedule of the scene's program with at most *bound* preemptions (None: any number).

    Args:
        scene: the program and its pool.
        bound: preemptions allowed in one run. Leaving a sleep, the end of a thread and a timeout are none.
        merge: whether to explore equal moments once. Without it, every schedule is run.
        twins: whether moments that differ in nothing but the numbers of like threads are equal.
        most: how many runs at most; more are a limit, and no verdict.
    Returns:
        The search; it stops at the first run that is not ok.
    """
    search = Search(str(scene.program), bound)
    explorer = Explorer(scene, bound, merge, twins)
    rests: set[object] = set()
    began = time.perf_counter()
    scene.on_begin = explorer.began
    while search.runs < most:
        explorer.begin()
        done = run(scene, explorer, rests if merge else None)
        search.runs += 1
        search.pruned += explorer.pruned
        search.steps += done.steps
        search.longest = max(search.longest, done.steps)
        search.verdicts[done.verdict] += 1
        search.outcomes.add((done.results, done.rest))
        if done.verdict != "ok":
            search.failure, search.choices = done, explorer.choices()
            break
        if not explorer.advance():
            search.complete = True
            break
    scene.on_begin = ignore
    search.moments = len(explorer.visited)
    search.pictures = set(scene.pictures)
    search.seconds = time.perf_counter() - began
    return search
