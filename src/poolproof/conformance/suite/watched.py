"""A pool under watch: every operation is noted in the timeline, and every callback and lease in a ledger.

The ledger knows what no caller may ever see, in whatever scenario: one resource with two holders, a destroyed one
that is lent, one that is destroyed twice or under its holder, more of them than the limit.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from poolproof.conformance.suite.actors import Broken, Call, Gate, NotShown, Troupe
from poolproof.conformance.suite.adapter import PoolSpec, Subject

SHORT = 0.05
Behaviour = Callable[[], object]


class Thing:
    """A resource."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"r{self.number}"


class Outcome(NamedTuple):
    """How an operation ended: "lease", "done", "timeout", "closed", "misuse", "raised" (by a callback), "error"."""

    kind: str
    lease: Any = None
    resource: Any = None
    error: BaseException | None = None
    value: Any = None

    def __str__(self) -> str:
        if self.kind == "lease":
            return shown(self.resource)
        return self.kind if self.error is None else f"{type(self.error).__name__}: {self.error}"[:160]


class Callback:
    """A callback of the pool. `then` lists what its next calls do besides; the ledger is told of each."""

    def __init__(self, pool: Watched, name: str) -> None:
        self.pool = pool
        self.name = name
        self.calls: list[Any] = []
        self.then: list[Behaviour] = []
        self.always: Behaviour | None = None

    def raises(self, error: BaseException) -> BaseException:
        """Have the next call raise."""
        self.pool.raised.append(error)

        def fail() -> None:
            raise error

        self.then.append(fail)
        return error

    def stops(self) -> Gate:
        """Have the next call stop at a gate."""
        gate = self.pool.stage.gate()
        self.then.append(gate)
        return gate

    def behave(self) -> object:
        behaviour = self.then.pop(0) if self.then else self.always
        return None if behaviour is None else behaviour()

    def __call__(self, resource: Any) -> object:
        """destroy, check and reset."""
        self.calls.append(resource)
        self.pool.note(f"{self.name}({shown(resource)})")
        try:
            answer = self.behave()
        except BaseException as error:
            self.pool.note(f"{self.name} raises {type(error).__name__}")
            raise
        self.pool.note(f"{self.name} returns{' False' if answer is False else ''}")
        return answer is not False if self.name == "check" else None


class Watched:
    """One pool of a scenario."""

    def __init__(self, stage: Troupe, subject: Subject, wanted: dict[str, Any]) -> None:
        self.stage = stage
        self.subject = subject
        self.limit: int = wanted.get("max_size", 1)
        self.raised: list[BaseException] = []
        self.lock = threading.RLock()
        self.holders: dict[int, tuple[str, Any]] = {}  # with the lease, so that none is lost by accident
        self.things: list[Any] = []
        self.makes: Callable[[int], Any] = Thing
        self.alive: dict[int, Any] = {}  # by identity; the value keeps the identity from being used again
        self.gone: dict[int, Any] = {}
        self.creating = 0
        self.most = 0
        self.breaches: list[str] = []
        self.counts_live = not {"destroy", "max_size"} & subject.lacks.keys()
        self.closing = False
        self.label = ""  # tells the timelines of two pools apart
        self.create, self.destroy = Callback(self, "create"), Callback(self, "destroy")
        self.check, self.reset = Callback(self, "check"), Callback(self, "reset")
        self.adapter: Any = None
        if "create" in subject.lacks and "resources" not in wanted:
            wanted = {**wanted, "resources": [self.made() for _ in range(self.limit)]}
        for each in wanted.get("resources", ()):
            self.alive[id(each)] = each
        self.wanted = {"create": self.creates, "destroy": self.destroys, **wanted}
        for name, callback in (("check", self.check), ("reset", self.reset)):
            if self.wanted.get(name) is True:
                self.wanted[name] = callback

    def note(self, what: str) -> None:
        name = threading.current_thread().name
        self.stage.note(name.removeprefix("conformance ") if name.startswith("conformance ") else "(pool)", what)

    # Callbacks, as the pool sees them.

    def creates(self) -> Any:
        self.create.calls.append(None)
        self.note("create()")
        with self.lock:
            self.creating += 1
            self._count()
        try:
            self.create.behave()
        except BaseException as error:
            self.note(f"create raises {type(error).__name__}")
            with self.lock:
                self.creating -= 1
            raise
        with self.lock:
            self.creating -= 1
            made = self.made()
            self.alive[id(made)] = made
            self._count()
        self.note(f"create returns {shown(made)}")
        return made

    def destroys(self, resource: Any) -> None:
        with self.lock:
            if isinstance(resource, Thing):
                if id(resource) in self.gone:
                    self.breaches.append(f"destroy was called twice for {resource}")
                if (holder := self.holders.get(id(resource))) is not None:
                    self.breaches.append(f"{resource} was destroyed while {holder[0]} holds it")
            self.alive.pop(id(resource), None)
            self.gone[id(resource)] = resource
        self.destroy(resource)

    def made(self) -> Any:
        """A new resource."""
        self.stage.made += 1
        new = self.makes(self.stage.made)
        self.things.append(new)
        return new

    def _count(self) -> None:
        live = self.creating + len(self.alive)
        self.most = max(self.most, live)
        if self.counts_live and live > self.limit:
            names = ", ".join(map(shown, self.alive.values()))
            self.breaches.append(f"{live} slots at a limit of {self.limit}: {names}, {self.creating} being created")

    # Operations, in the thread that calls.

    def make(self) -> None:
        self.adapter = self.subject.factory(PoolSpec(**self.wanted))

    def acquire_here(self, timeout: float | None = None) -> Outcome:
        outcome = self._ended(lambda: self.adapter.acquire(timeout))
        if outcome.kind != "done":
            return outcome
        lease = outcome.value
        resource = self.looked(lease)
        who = threading.current_thread().name.removeprefix("conformance ")
        with self.lock:
            if isinstance(resource, Thing):
                if (holder := self.holders.get(id(resource))) is not None:
                    self.breaches.append(f"{resource} is lent to {who} while {holder[0]} holds it")
                if id(resource) in self.gone:
                    self.breaches.append(f"{resource} is lent to {who} after it was destroyed")
            self.holders[id(resource)] = who, lease
        return Outcome("lease", lease, resource)

    def looked(self, lease: Any) -> Any:
        """The resource of a lease. Whatever traces or strikes this thread does not while we look."""
        look, trace = getattr(self.adapter, "resource", None), sys.gettrace()
        if look is None:
            return lease
        sys.settrace(None)
        try:
            return look(lease)
        finally:
            sys.settrace(trace)

    def end_here(self, how: str, held: Outcome) -> Outcome:
        """End a lease: release, discard or detach."""
        with self.lock:
            self.holders.pop(id(held.resource), None)
            if how == "detach":
                self.alive.pop(id(held.resource), None)
        return self._ended(lambda: getattr(self.adapter, how)(held.lease), misuse=True)

    def again_here(self, how: str, held: Outcome) -> Outcome:
        """End a lease that was ended before; whoever holds its resource now still does."""
        return self._ended(lambda: getattr(self.adapter, how)(held.lease), misuse=True)

    def do_here(self, name: str, *arguments: Any) -> Outcome:
        """Any other operation."""
        if name == "resize":
            self.limit = max(self.limit, arguments[0])
        if name == "close":
            self.closing = True
        if name == "add":
            self.alive[id(arguments[0])] = arguments[0]
        return self._ended(lambda: getattr(self.adapter, name)(*arguments))

    def _ended(self, function: Callable[[], Any], misuse: bool = False) -> Outcome:
        adapter = self.adapter
        try:
            return Outcome("done", value=function())
        except BaseException as error:
            error.__traceback__ = error.__context__ = None  # they would keep leases alive
            if any(error is each for each in self.raised):
                kind = "raised"
            elif not misuse and isinstance(error, getattr(adapter, "timeout_error", TimeoutError)):
                kind = "timeout"
            elif misuse and isinstance(error, getattr(adapter, "misuse_error", Exception)):
                kind = "misuse"
            elif self.closing and not misuse and isinstance(error, getattr(adapter, "closed_error", Exception)):
                kind = "closed"
            else:
                kind = "error"
            return Outcome(kind, error=error)

    # Operations, by an actor.

    def start(self, who: str, name: str, *arguments: Any) -> Call:
        """Have an actor begin an operation."""
        told = f"{self.label}{name}({', '.join(map(_told, arguments))})"

        def run() -> Outcome:
            self.stage.note(who, told)
            outcome = self._operate(name, *arguments)
            self.stage.note(who, f"→ {outcome}")
            return outcome

        call = self.stage.actor(who).start(told, run)
        if name == "acquire" and arguments and arguments[0] is not None and 0 < arguments[0] < 60:
            call.sleeps = arguments[0]
        return call

    def _operate(self, name: str, *arguments: Any) -> Outcome:
        if name == "acquire":
            return self.acquire_here(*arguments)
        if name in ("release", "discard", "detach"):
            return self.end_here(name, *arguments)
        if name.endswith(" again"):
            return self.again_here(name.removesuffix(" again"), *arguments)
        return self.do_here(name, *arguments)

    def ended(self, call: Call) -> Outcome:
        """The outcome of an operation that began.

        Raises:
            Broken: it hangs.
        """
        if not self.stage.finished(call):
            where = self.stage.whereabouts(call)
            self.stage.note(call.actor.name, "hangs")
            raise Broken(f"{call.actor.name}: {call.what} never returns; it stands in {where}")
        if call.error is not None:
            if isinstance(call.error, Exception):
                raise call.error
            raise NotShown(f"{call.what} was cut off by {type(call.error).__name__}") from call.error
        self.healthy()
        outcome: Outcome = call.value
        return outcome

    def ask(self, who: str, name: str, *arguments: Any) -> Outcome:
        """An operation from its beginning to its end."""
        return self.ended(self.start(who, name, *arguments))

    def healthy(self) -> None:
        if self.breaches:
            raise Broken(self.breaches[0])


def shown(resource: Any) -> str:
    """A resource's name, without asking the resource."""
    return f"r{resource.number}" if type(resource) is Thing else f"a {type(resource).__name__}"


def _told(argument: object) -> str:
    if isinstance(argument, Outcome):
        return shown(argument.resource)
    if argument is None or isinstance(argument, Thing):
        return "" if argument is None else shown(argument)
    return f"{argument:g}" if isinstance(argument, float) else repr(argument)
