"""The adapter: what the suite needs to know of a pool, in at most twenty lines.

    class MyAdapter(Adapter):
        timeout_error = MyTimeout
        closed_error = MyClosed
        lacks = {"fifo": "waiters race for what comes free; the documentation says so"}

        def __init__(self, spec):
            self.pool = MyPool(spec.create, size=spec.max_size)

        def acquire(self, timeout):
            return self.pool.get(timeout)

        def release(self, lease):
            self.pool.put(lease)

Which options a pool has is seen from what the adapter reads of the `PoolSpec`; which operations, from its methods.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar

# What a pool may lack, and what that means. The first group is seen from what the adapter reads of the spec, the
# second from its methods; the third is assumed unless the adapter says otherwise in `lacks`.
OPTIONS = {
    "create": "builds resources on demand",
    "destroy": "tells when a resource leaves the pool",
    "check": "looks at a free resource before it is lent",
    "reset": "cleans a resource when it comes back",
    "max_size": "never has more resources than this",
    "resources": "begins with resources that it is given",
    "min_size": "builds that many at once and keeps them",
    "max_uses": "replaces a resource after so many leases",
    "max_age": "replaces a resource after so many seconds",
    "max_waiting": "refuses whoever comes when so many wait",
    "order": 'which free resource is next: "lifo" or "fifo"',
}
METHODS = {
    "discard": "discard(lease): end the lease, the resource is broken",
    "detach": "detach(lease): end the lease, the resource is kept by the caller",
    "add": "add(resource)",
    "remove": "remove(resource)",
    "resize": "resize(max_size)",
    "close": "close()",
    "stats": "stats(): a mapping with any of live, free, checked_out, waiting",
    "expire_all": "expire_all(): replace every resource",
    "maintain": "maintain(): one round of housekeeping",
}
BEHAVIOUR = {
    "timeouts": "an acquire can be given a deadline",
    "timeout-validation": "a negative or NaN timeout is refused",
    "input-validation": "a constructor argument that makes no sense is refused",
    "fifo": "waiters are served in the order of their arrival",
    "misuse": "a lease that was ended already is refused with an error",
    "lease-identity": "a release names a lease, not a resource",
    "cross-thread": "a lease may be ended by another thread than its own",
    "odd-resources": "resources may be None, falsy, unhashable or equal to each other",
    "reentrant-callbacks": "callbacks may use the pool",
    "errors-unchanged": "what create raises reaches the caller as it is",
    "destroy-counts": "a slot counts until its destroy has finished",
    "prompt-close": "close does not wait for those who hold a lease",
    "gc": "a finalizer may end a lease in the middle of any operation",
    "signals": "a signal handler may use the pool in the middle of any operation",
    "async-exceptions": "an exception out of the blue costs no capacity",
    "abandoned-leases": "a lease that is collected gives its slot back",
    "collectable": "a pool that nobody refers to is collected, and its resources are destroyed",
    "fork": "a forked child gets none of the parent's resources",
    "exit": "the end of the process does not wait for the pool",
    "bounded-threads": "no thread per operation",
}
# What a pool cannot have without something else.
IMPLIED = {"abandoned-leases": "lease-identity"}
# What loses resources, so that there must be a create to replace them.
LOSING = frozenset(("discard", "detach", "remove", "expire_all", "check", "reset", "max_uses", "max_age"))
SECONDS_FOR_PROBE = 20.0

FEATURES = {**OPTIONS, **METHODS, **BEHAVIOUR}


class AdapterError(Exception):
    """The adapter, or the way to it, makes no sense; nothing was tested."""


class PoolSpec:
    """What a scenario wants of a pool. Pass on what your pool has; what you do not read, it is taken not to have.

    Attributes:
        create: a function of nothing that makes a resource; None only if *resources* are given.
        max_size: how many resources there may be at most; never None.
        resources: resources to begin with, a list; usually empty.
        destroy, check, reset: functions of a resource, or None.
        min_size, max_uses, max_age, max_waiting: numbers, or None.
        order: "lifo", "fifo", or None for the pool's own.
    """

    create: Callable[[], Any] | None
    destroy: Callable[[Any], object] | None
    check: Callable[[Any], bool] | None
    reset: Callable[[Any], object] | None
    max_size: int
    resources: Sequence[Any]
    min_size: int | None
    max_uses: int | None
    max_age: float | None
    max_waiting: int | None
    order: str | None

    def __init__(self, **wanted: Any) -> None:
        if unknown := wanted.keys() - OPTIONS.keys():
            raise TypeError(f"a pool spec has no {', '.join(sorted(unknown))}")
        self._wanted = {"max_size": 1, "resources": [], **wanted}
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in OPTIONS:
            raise AttributeError(f"a pool spec has no {name!r}; it has {', '.join(OPTIONS)}")
        self.read.add(name)
        return self._wanted.get(name)

    def __repr__(self) -> str:
        return f"PoolSpec({', '.join(f'{name}={value!r}' for name, value in self._wanted.items())})"


class Adapter:
    """A base for adapters. Nothing has to derive from it: an object with acquire and release will do."""

    timeout_error: ClassVar[type[BaseException] | tuple[type[BaseException], ...]] = TimeoutError
    closed_error: ClassVar[type[BaseException] | tuple[type[BaseException], ...]] = Exception
    misuse_error: ClassVar[type[BaseException] | tuple[type[BaseException], ...]] = Exception
    lacks: ClassVar[Mapping[str, str]] = {}

    def acquire(self, timeout: float | None) -> Any:
        """Return a lease: whatever `release` wants back. Wait *timeout* seconds; None waits without limit."""
        raise NotImplementedError

    def release(self, lease: Any) -> None:
        """End the lease."""
        raise NotImplementedError

    def resource(self, lease: Any) -> Any:
        """The resource of a lease; for pools whose lease is the resource, the lease itself."""
        return lease


Factory = Callable[[PoolSpec], Any]


class Subject:
    """A pool under test: a factory of adapters, and what the pool has and lacks."""

    def __init__(self, factory: Factory, name: str) -> None:
        self.factory = factory
        self.name = name
        self.lacks = _lacks(factory, name)

    def why_not(self, needs: Sequence[str]) -> str | None:
        """The first of these features that the pool lacks, and why; None if it has them all."""
        wanted = [*needs, *(["create"] if LOSING.intersection(needs) else [])]
        return next((f"{need}: {self.lacks[need]}" for need in wanted if need in self.lacks), None)


def subject(factory: Factory | str) -> Subject:
    """The pool that ``module:name`` or a factory makes.

    Raises:
        AdapterError: there is no such thing, or what it makes is no adapter.
    """
    if isinstance(factory, str):
        return Subject(found(factory), factory)
    if not callable(factory):
        raise AdapterError(f"a factory must be callable, not {type(factory).__name__}")
    module, name = getattr(factory, "__module__", None), getattr(factory, "__qualname__", None)
    return Subject(factory, f"{module}:{name}" if module and name else repr(factory))


def found(path: str) -> Factory:
    """The factory that a path ``package.module:name`` leads to."""
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name):
        raise AdapterError(f"{path!r} is not of the form package.module:factory")
    try:
        target: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name + ".").startswith(error.name + "."):
            raise AdapterError(f"there is no module {error.name!r} on sys.path ({path!r})") from error
        raise
    for part in name.split("."):
        if not hasattr(target, part):
            raise AdapterError(f"module {module_name!r} has no {name!r}")
        target = getattr(target, part)
    if not callable(target):
        raise AdapterError(f"{path!r} is a {type(target).__name__}, not a function that takes a PoolSpec")
    factory: Factory = target
    return factory


def _lacks(factory: Factory, name: str) -> dict[str, str]:
    """What the pool lacks: found out by making one, and using it once."""
    spec = PoolSpec(create=Probe, max_size=1)
    adapter = _made(factory, spec, name)
    if "create" not in spec.read:
        if "resources" not in spec.read:
            raise AdapterError(f"{name}: the adapter reads neither spec.create nor spec.resources: what does it lend?")
        adapter = _made(factory, PoolSpec(create=None, max_size=1, resources=[Probe()]), name)
    _require(adapter, name)
    said = dict(getattr(adapter, "lacks", {}))
    if unknown := sorted(said.keys() - FEATURES.keys()):
        raise AdapterError(f"{name}: lacks names {', '.join(unknown)}; known are {', '.join(FEATURES)}")
    _use(adapter, name)
    lacks = {each: f"the adapter does not read spec.{each}" for each in OPTIONS if each not in spec.read}
    lacks |= {each: f"the adapter has no method {each}" for each in METHODS if not _has(adapter, each)}
    lacks |= {each: str(reason) for each, reason in said.items()}
    for each, without in IMPLIED.items():
        if without in lacks and each not in lacks:
            lacks[each] = f"without {without}: {lacks[without]}"
    return lacks


class Probe:
    """A resource of the pool that is only tried out."""


def _made(factory: Factory, spec: PoolSpec, name: str) -> Any:
    try:
        return _within_time(lambda: factory(spec), lambda: f"{name}: making a plain pool")
    except AdapterError:
        raise
    except Exception as error:
        raise AdapterError(f"{name}: making a plain pool raised {type(error).__name__}: {error}") from error


def _use(adapter: Any, name: str) -> None:
    """Acquire and release once: what the adapter calls the resource must be what create made."""
    doing = "the first acquire"

    def once() -> None:  # all in one thread: the lease may be that thread's
        nonlocal doing
        lease = adapter.acquire(None)
        _lends_what_was_made(adapter, lease, name)
        doing = "the first release"
        adapter.release(lease)
        if _has(adapter, "close"):
            doing = "closing an idle pool"
            adapter.close()

    try:
        _within_time(once, lambda: f"{name}: {doing}")
    except AdapterError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise AdapterError(f"{name}: acquire, release and close, once, raised {told}") from error


def _lends_what_was_made(adapter: Any, lease: Any, name: str) -> None:
    look = getattr(adapter, "resource", None)
    resource = lease if look is None else look(lease)
    if not isinstance(resource, Probe):
        what = "a lease" if look is None else "resource(lease)"
        kind = type(resource).__name__
        raise AdapterError(
            f"{name}: {what} is a {kind}, and not what spec.create made; give the adapter a method resource(lease)"
        )


def _within_time(function: Callable[[], Any], what: Callable[[], str]) -> Any:
    """What *function* returns, in a thread of its own; *what* says what hangs."""
    answers: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="conformance probe", daemon=True)
    thread.start()
    thread.join(SECONDS_FOR_PROBE)
    if thread.is_alive():
        raise AdapterError(f"{what()} did not return within {SECONDS_FOR_PROBE:g} s")
    if errors:
        raise errors[0]
    return answers[0]


def _require(adapter: Any, name: str) -> None:
    for method in ("acquire", "release"):
        found = getattr(adapter, method, None)
        if not callable(found) or getattr(found, "__func__", None) is getattr(Adapter, method):
            kind = type(adapter).__name__
            raise AdapterError(f"{name}: {kind} has no method {method}; an adapter needs acquire and release")
    for attribute in ("timeout_error", "closed_error", "misuse_error"):
        kinds = getattr(adapter, attribute, Exception)
        for kind in kinds if isinstance(kinds, tuple) else (kinds,):
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise AdapterError(f"{name}: {attribute} must be an exception type or a tuple of them, not {kinds!r}")


def _has(adapter: Any, method: str) -> bool:
    return callable(getattr(adapter, method, None))


NONSENSE = (-1.0, math.nan)
