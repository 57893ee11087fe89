"""The clients of a program: what each does, what it holds, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poolproof import Lease
from poolproof.conformance.programs import Operation
from poolproof.conformance.words import BEGIN_BY_READING, SKIPPED, WORDS

if TYPE_CHECKING:
    from poolproof.conformance.scene import Scene, Thing


class Client:
    """What one thread of a program does to the pool, and what came of it."""

    def __init__(self, scene: Scene, number: int, operations: tuple[Operation, ...]) -> None:
        self.scene = scene
        self.pool = scene.pool
        self.number = number
        self.operations = operations
        self.latest: Lease[Thing] | None = None  # what it holds, as far as it knows
        self.ended: Lease[Thing] | None = None
        self.results: list[str] = []

    def run(self) -> None:
        """All operations, with a point between any two of them."""
        crew, scene = self.scene.crew, self.scene
        worker = crew.workers[self.number]
        for index, operation in enumerate(self.operations):
            if index:
                crew.point()
            worker.op, worker.points = index, 0
            worker.fresh = operation.word in BEGIN_BY_READING and self.scene.atom.at_reads
            scene.begins(self, operation)
            result = self.perform(operation)
            self.results.append(result)
            scene.returned(self, operation, result)

    def perform(self, operation: Operation) -> str:
        meaning, allowed = WORDS[operation.word]
        try:
            return meaning(self, operation.number)
        except (Exception, KeyboardInterrupt) as error:
            name = type(error).__name__
            if name not in allowed | self.scene.interruptions or not self.scene.explains(name, operation):
                self.scene.report("ONE-OUTCOME", f"{operation} raised {name}: {error}")
            return name

    def hold(self, lease: Lease[Thing]) -> str:
        """An acquire returned this lease."""
        self.latest = lease
        if lease.held or not self.scene.may_revoke:
            self.take(lease.resource)
        return "lease"

    def take(self, thing: Thing) -> None:
        """Begin to use a resource: nobody else may, and it must not be gone."""
        if thing.user is not None:
            self.scene.report("EXCLUSIVE", f"resource {thing.number} is used by two clients")
        if thing.destroyed:
            self.scene.report("EXCLUSIVE", f"resource {thing.number} was granted after it was destroyed")
        thing.user = self

    def leave(self, thing: Thing) -> None:
        if thing.user is self:
            thing.user = None

    def end(self, how: str) -> str:
        """End the latest lease, by the method of this name."""
        lease = self.latest
        if lease is None:
            return SKIPPED
        if lease.held:
            self.leave(lease.resource)
        try:
            getattr(lease, how)()
        finally:
            self.latest, self.ended = self.left_with(lease, how), lease
        return "ok"

    def left_with(self, lease: Lease[Thing], how: str) -> Lease[Thing] | None:
        """What a client still has of a lease that it has ended: nothing, unless it was interrupted before that. A
        release ends the lease all the same."""
        return lease if self.scene.options.strikes and how != "release" and lease.held else None
