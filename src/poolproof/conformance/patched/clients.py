"""The players of a program: each carries out its words on the pool, and notes what came of them."""

from __future__ import annotations

from typing import Any

from poolproof.conformance.history.recorder import Recorder
from poolproof.conformance.patched.histories import KINDS, Told
from poolproof.conformance.patched.programs import Operation
from poolproof.conformance.patched.things import Boom, Things
from poolproof.conformance.patched.turns import Dropped, Endless, Stage
from poolproof.conformance.suite.adapter import METHODS, OPTIONS, PoolSpec

NOTHING = "–"
# Which clause an operation breaks that ends with an error that it has no reason for.
OPERATIONS = {"acquire": "ONE-OUTCOME", "release": "LEASE-IDENTITY", "discard": "LEASE-IDENTITY"}


class Terms:
    """How an adapter's pool says no, and what it promises."""

    def __init__(self, pool: Any, spec: PoolSpec) -> None:
        self.timeout = errors(pool, "timeout_error", TimeoutError)
        self.closed = errors(pool, "closed_error", Exception)
        self.misuse = errors(pool, "misuse_error", Exception)
        self.lacks = {each: f"the adapter does not read spec.{each}" for each in OPTIONS if each not in spec.read}
        self.lacks |= {
            each: f"the adapter has no {each}" for each in METHODS if not callable(getattr(pool, each, None))
        }
        self.lacks |= dict(getattr(pool, "lacks", {}))

    def has(self, feature: str) -> bool:
        return feature not in self.lacks


def errors(pool: Any, name: str, usual: type[Exception]) -> tuple[type[BaseException], ...]:
    found = getattr(pool, name, usual)
    return found if isinstance(found, tuple) else (found,)


class Client:
    """One player, its leases and its results."""

    def __init__(self, name: str, operations: tuple[Operation, ...], stage: Stage, things: Things) -> None:
        self.name = name
        self.operations = operations
        self.stage = stage
        self.things = things
        self.pool: Any = None
        self.terms: Terms
        self.others: list[Client] = []
        self.leases: list[tuple[Any, Any, Told]] = []  # what acquire returned, the resource, and the operation
        self.ended: Any = None
        self.recorder: Recorder | None = None
        self.told: Told | None = None  # the operation that it is in
        self.results: list[str] = []
        self.doing = ""
        self.acquiring = False
        self.rivals = 0  # how many others, at most, held or wanted a resource during this acquire
        self.there = 0  # how many resources, at least, were there during it
        self.serial = 0  # how many acquires it has begun
        self.waited_before: set[tuple[str, int]] = set()  # who was seen waiting before this acquire began, and in which

    def run(self) -> None:
        """Carry out the words, each with a point in front."""
        for operation in self.operations:
            self.doing = str(operation)
            self.stage.point(f"{operation} is called")
            self.stage.progress()
            try:
                result = getattr(self, operation.word)(operation.number)
            except (Dropped, Endless):
                raise
            except BaseException as error:
                result = self.failed(operation, error)
                self.tell_failure(result, error)
            self.told = None
            self.results.append(result)
            self.stage.note(f"{operation} → {result}")
            self.doing = ""
            self.settle()

    def tell_failure(self, result: str, error: BaseException) -> None:
        if self.told is not None and result in KINDS:
            self.told.ended(result)
        elif self.told is not None:
            self.told.failed(root_of(error))

    def failed(self, operation: Operation, error: BaseException) -> str:
        """An operation raised: as what, if the adapter says so; otherwise that is a finding."""
        self.acquiring = False
        if has_cause(error):
            return "Boom"
        if operation.word == "acquire" and isinstance(error, self.terms.timeout):
            return self.timed_out(operation)
        if self.things.closed and isinstance(error, self.terms.closed):
            return "closed"
        if operation.word == "again" and isinstance(error, self.terms.misuse):
            return "refused"
        name = type(error).__name__
        if operation.word == "acquire" and self.things.checked and isinstance(error, Exception):
            return name
        self.things.report(OPERATIONS.get(operation.word, "ERRORS-TELL"), f"{operation} raised {name}: {error}"[:150])
        return name

    def timed_out(self, operation: Operation) -> str:
        """A timeout is right only if at some moment nothing was to be had."""
        there = min(self.there, self.things.existing(), self.things.size)
        if operation.word == "acquire" and self.rivals < there and not self.things.closed:
            self.things.report(
                "WAIT-DEADLINE",
                f"{operation} timed out; at no moment did more than {self.rivals} others hold or want one of {there}",
            )
        return "timeout"

    # Words

    def acquire(self, seconds: int | None) -> str:
        self.acquiring = True
        self.rivals = 0
        self.there = self.things.existing()
        self.serial += 1
        self.waited_before = {(each.name, each.serial) for each in self.others if each.waits()}
        self.settle()
        told = self.told = Told(self.recorder, "acquire", timeout=None if seconds is None else float(seconds))
        lease = self.pool.acquire(None if seconds is None else float(seconds))
        thing = resource_of(self.pool, lease)
        told.ended("lease", thing)
        self.leases.append((lease, thing, told))
        self.things.take(thing, self.name)
        self.acquiring = False
        if self.things.size == 1 and self.terms.has("fifo"):
            self.overtaken()
        return f"lease {thing!r}"

    def waits(self) -> bool:
        """Whether it is seen waiting in acquire: asleep, and not for a lock that somebody else holds."""
        if not self.acquiring:
            return False
        actor = next(each for each in self.stage.actors if each.name == self.name and each.player)
        blocker: Any = actor.blocker
        return actor.status in ("asleep", "timed") and getattr(blocker, "_taker", None) is actor

    def overtaken(self) -> None:
        """The only resource is granted: nobody who was waiting before this acquire began may wait on, unless its time
        may be up."""
        for each in self.others:
            if (each.name, each.serial) in self.waited_before and each.acquiring and "(" not in each.doing:
                self.things.report("WAIT-FIFO", f"{self.name} came after {each.name} and was served before it")

    def release(self, _: int | None) -> str:
        return self.end("release")

    def discard(self, _: int | None) -> str:
        return self.end("discard")

    def end(self, how: str) -> str:
        if not self.leases:
            return NOTHING
        lease, thing, acquired = self.leases[-1]
        self.things.leave(thing, self.name)
        told = self.told = Told(self.recorder, how, lease=acquired.token)
        try:
            getattr(self.pool, how)(lease)
        finally:
            self.leases.pop()
            self.ended = (lease, thing, self.things.lent, acquired)
        told.ended("done")
        return "ok"

    def again(self, _: int | None) -> str:
        if self.ended is None:
            return NOTHING
        lease, thing, lent, acquired = self.ended
        if self.lent_since(lent):
            return NOTHING
        told = self.told = Told(self.recorder, "release", lease=acquired.token)
        try:
            self.pool.release(lease)
        finally:
            if self.lent_since(lent):
                self.things.excused = True
        told.ended("done")
        self.things.report("STALE-UNCHANGED", f"{self.name} released {thing} once more, and nobody objected")
        return "ok"

    def lent_since(self, lent: int) -> bool:
        """Whether anything was lent, or is being lent, since *lent* leases, and the pool knows resources only: it
        cannot tell then whose release this is."""
        again = self.things.lent != lent or any(other.acquiring for other in self.others)
        return again and not self.terms.has("lease-identity")

    def use(self, _: int | None) -> str:
        return "ok" if self.leases else NOTHING

    def close(self, _: int | None) -> str:
        self.things.closed = True
        told = self.told = Told(self.recorder, "close", timeout=0.0)
        self.pool.close()
        told.ended("told", {})
        return "ok"

    def resize(self, limit: int | None) -> str:
        self.things.size = max(self.things.size, limit or 0)
        self.pool.resize(limit)
        self.things.size = limit or 0
        return "ok"

    # What it means for others

    def settle(self) -> None:
        """Somebody came or went: whoever is in acquire counts its rivals."""
        everybody = [self, *self.others]
        for each in everybody:
            if each.acquiring:
                busy = sum(
                    len(other.leases) + (other is not each and (other.acquiring or other.doing not in ("", "use")))
                    for other in everybody
                )
                each.rivals = max(each.rivals, busy)


def resource_of(pool: Any, lease: Any) -> Any:
    return pool.resource(lease) if hasattr(pool, "resource") else lease


def root_of(error: BaseException) -> BaseException:
    """The Boom that *error* tells of, or itself."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, Boom):
        found = found.__cause__ or found.__context__
    return found or error


def has_cause(error: BaseException) -> bool:
    """Whether *error* tells of a Boom."""
    return isinstance(root_of(error), Boom)
