"""The options of a pool, validated before anything is created [INPUTS-VALIDATED]."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Final

from poolproof.core.values import UNBOUNDED, Options
from poolproof.errors import DuplicateResource
from poolproof.reports import PoolEvent, PoolSetup
from poolproof.runtime import Runtime, ThreadRuntime
from poolproof.stacks import LeaseStacks

WORK = ("build", "reset", "destroy")


class _Default:
    """Stands for "as the pool is configured", where None means something else."""

    def __repr__(self) -> str:
        return "DEFAULT"


DEFAULT: Final[Any] = _Default()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that never changes in a pool's life. The table of options is in spec/surface.md."""

    create: Callable[[], Any] | None
    given: int
    destroy: Callable[[Any], object] | None
    check: Callable[[Any], object] | None
    reset: Callable[[Any], object] | None
    max_size: int | None
    min_size: int
    prefill: bool
    max_free: int | None
    shrink_to: int | None
    max_age: float | None
    max_age_jitter: float
    max_idle: float | None
    max_uses: int | None
    max_lease: float | None
    revoke_overdue: bool
    max_waiting: int | None
    timeout: float | None
    order: str
    when_empty: str
    discard_on: tuple[type[BaseException], ...] | None
    executor: Executor | None
    executor_for: frozenset[str]
    retry_delay: float
    retry_delay_max: float
    housekeeping: float | None
    name: str
    observer: Callable[[PoolEvent], object] | None
    runtime: Runtime

    def core_options(self) -> Options:
        """What of it the core needs to know."""
        ages = self.max_age is not None or self.max_idle is not None
        return Options(
            factory=self.create is not None,
            reset=self.reset is not None,
            fifo=self.order == "fifo",
            raise_when_empty=self.when_empty == "raise",
            min_size=self.min_size,
            max_waiting=or_unbounded(self.max_waiting),
            max_free=or_unbounded(self.max_free),
            shrink_to=or_unbounded(self.max_free if self.shrink_to is None else self.shrink_to),
            max_idle=or_unbounded(self.max_idle),
            max_uses=or_unbounded(self.max_uses),
            plain=self.order == "lifo" and self.max_free is None and self.max_uses is None and not ages,
            ages=ages,
            retry_delay=self.retry_delay,
            retry_delay_max=self.retry_delay_max,
        )

    def setup(self, built: int) -> PoolSetup:
        """What of it a trace needs to tell; *built* slots were created at the beginning."""
        return PoolSetup(
            name=self.name,
            given=self.given,
            built=built,
            factory=self.create is not None,
            reset=self.reset is not None,
            check=self.check is not None,
            ages=self.max_age is not None,
            min_size=self.min_size,
            max_waiting=self.max_waiting,
            max_uses=self.max_uses,
            order=self.order,
            when_empty=self.when_empty,
        )


def or_unbounded(value: float | None) -> float:
    return UNBOUNDED if value is None else value


def checked_settings(
    *, resources: Iterable[Any] | None, discard_on: Iterable[type[BaseException]] | None,
    executor_for: Iterable[str] | None, runtime: Runtime | None, trace_leases: bool = False, **options: Any,
) -> tuple[Settings, tuple[Any, ...]]:  # fmt: skip
    """The settings and a copy of the resources, if every option makes sense on its own and with the others.

    Raises:
        TypeError: an option is of the wrong type.
        ValueError: an option is out of its range, or contradicts another.
    """
    if options["create"] is None and resources is None:
        raise TypeError("a pool needs create, resources, or both [INPUTS-VALIDATED]")
    for name in ("create", "destroy", "check", "reset", "observer"):
        callable_or_none(name, options[name])
    for name in ("min_size", "max_size", "max_free", "shrink_to", "max_uses", "max_waiting"):
        count(name, options[name], least=1 if name == "max_uses" else 0, optional=name != "min_size")
    for name in ("max_age", "max_idle", "max_lease", "housekeeping", "timeout", "retry_delay", "retry_delay_max"):
        seconds(name, options[name], optional=not name.startswith("retry"), above_zero=name != "timeout")
    fraction("max_age_jitter", options["max_age_jitter"])
    one_of("order", options["order"], ("lifo", "fifo"))
    one_of("when_empty", options["when_empty"], ("wait", "raise"))
    for name in ("prefill", "revoke_overdue"):
        of_type(name, options[name], bool)
    of_type("trace_leases", trace_leases, bool)
    of_type("name", options["name"], str)
    has("executor", options["executor"], "submit")
    has("runtime", runtime, "atom", "parker", "monotonic", "spawn")
    iterable_or_none("resources", resources)
    if trace_leases:
        options["observer"] = LeaseStacks(options["observer"])
    settings = Settings(
        given=0,
        discard_on=exception_types(discard_on),
        executor_for=work_names(executor_for, options["executor"]),
        runtime=ThreadRuntime() if runtime is None else runtime,
        **options,
    )
    check_together(settings)
    # The last, because an iterator can be read only once: whoever made another mistake gets to use it again.
    copy = distinct(resources, settings.name)
    settings = replace(settings, given=len(copy))
    check_given(settings)
    return settings, copy


def check_together(settings: Settings) -> None:
    """Options that contradict one another."""
    size, limit = settings.min_size, settings.max_size
    if limit is not None and size > limit:
        raise ValueError(f"min_size {size} is above max_size {limit} [INPUTS-VALIDATED]")
    if settings.shrink_to is not None and settings.shrink_to > or_unbounded(settings.max_free):
        raise ValueError(f"shrink_to {settings.shrink_to} is above max_free {settings.max_free} [INPUTS-VALIDATED]")
    if settings.shrink_to is not None and settings.max_free is None:
        raise ValueError("shrink_to needs max_free, above which it shrinks [INPUTS-VALIDATED]")
    if settings.revoke_overdue and settings.max_lease is None:
        raise ValueError("revoke_overdue needs max_lease, after which a lease is overdue [INPUTS-VALIDATED]")
    if settings.max_age_jitter and settings.max_age is None:
        raise ValueError("max_age_jitter needs max_age, the time that it varies [INPUTS-VALIDATED]")
    if settings.retry_delay > settings.retry_delay_max:
        raise ValueError(
            f"retry_delay {settings.retry_delay} is above retry_delay_max {settings.retry_delay_max} [INPUTS-VALIDATED]"
        )


def check_given(settings: Settings) -> None:
    """The number of resources that contradicts an option."""
    given, size, limit = settings.given, settings.min_size, settings.max_size
    if limit is not None and given > limit:
        raise ValueError(f"{given} resources do not fit into max_size {limit} [INPUTS-VALIDATED]")
    if settings.create is None and size > given:
        raise ValueError(f"min_size {size} needs create: there are {given} resources [INPUTS-VALIDATED]")


def callable_or_none(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value).__name__} [INPUTS-VALIDATED]")


def has(name: str, value: object, *methods: str) -> None:
    """None, or something with these methods."""
    for method in methods:
        if value is not None and not callable(getattr(value, method, None)):
            what = type(value).__name__
            raise TypeError(f"{name} must have a method {method}, which {what} has not [INPUTS-VALIDATED]")


def iterable_or_none(name: str, value: object) -> None:
    """None, or something to iterate over; it is not read."""
    if value is not None and not isinstance(value, Iterable) and not hasattr(value, "__getitem__"):
        raise TypeError(f"{name} must be iterable, not {type(value).__name__} [INPUTS-VALIDATED]")


def count(name: str, value: object, *, least: int, optional: bool = True) -> None:
    """A whole number, at least *least*."""
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__} [INPUTS-VALIDATED]")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value} [INPUTS-VALIDATED]")


def seconds(name: str, value: object, *, optional: bool = True, above_zero: bool = False) -> None:
    """A time in seconds, not negative and not NaN."""
    if value is None and optional:
        return
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__} [INPUTS-VALIDATED]")
    # Written so that NaN fails; an integer may be too large to be a float at all.
    if not 0 <= value <= UNBOUNDED or (above_zero and value == 0):
        raise ValueError(
            f"{name} must be a number of seconds {'above 0' if above_zero else 'from 0 up'}, not {value} "
            "[INPUTS-VALIDATED]"
        )
    if value != UNBOUNDED and value > sys.float_info.max:
        raise ValueError(f"{name} is too large for a number of seconds [INPUTS-VALIDATED]")


def fraction(name: str, value: object) -> None:
    seconds(name, value, optional=False)
    if isinstance(value, (int, float)) and value > 1:
        raise ValueError(f"{name} must be between 0 and 1, not {value} [INPUTS-VALIDATED]")


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    of_type(name, value, str)
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r} [INPUTS-VALIDATED]")


def of_type(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__} [INPUTS-VALIDATED]")


def distinct(resources: Iterable[Any] | None, name: str) -> tuple[Any, ...]:
    """A copy of *resources*, no object twice. They are told apart by identity and never compared."""
    copy = tuple(() if resources is None else resources)
    if len({id(resource) for resource in copy}) < len(copy):
        raise DuplicateResource(f"pool {name!r}: resources holds the same object more than once [NO-DUPLICATES]")
    return copy


def exception_types(kinds: Iterable[type[BaseException]] | None) -> tuple[type[BaseException], ...] | None:
    if kinds is None:
        return None
    iterable_or_none("discard_on", None if isinstance(kinds, type) else kinds)
    copy: tuple[Any, ...] = (kinds,) if isinstance(kinds, type) else tuple(kinds)
    for kind in copy:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(f"discard_on must name exception types, not {kind!r} [INPUTS-VALIDATED]")
    return copy


def work_names(names: Iterable[str] | None, executor: object) -> frozenset[str]:
    if names is None:
        return frozenset(WORK)
    if executor is None:
        raise ValueError("executor_for needs executor, which is to do the work [INPUTS-VALIDATED]")
    iterable_or_none("executor_for", names)
    copy = (names,) if isinstance(names, str) else tuple(names)
    for name in copy:
        one_of("executor_for", name, WORK)
    return frozenset(copy)
