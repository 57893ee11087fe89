"""What a pool tells about itself: plain frozen values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from poolproof.core.draft import checked_out_count, free_count
from poolproof.core.lists import length, walk
from poolproof.core.values import UNBOUNDED, Phase, SlotState, State
from poolproof.core.values import Fired as Fired  # what an event fired is told, so it belongs to the reports

R = TypeVar("R")


class PoolSetup(NamedTuple):
    """How a pool began, as far as its steps depend on it: with free slots, numbered from 1, ``given`` ones first and
    ``built`` ones behind, and its options. ``ages`` says that it has a max_age. None means unbounded.
    """

    name: str
    given: int
    built: int
    factory: bool
    reset: bool
    check: bool
    ages: bool
    min_size: int
    max_waiting: int | None
    max_uses: int | None
    order: str
    when_empty: str


class PoolEvent(NamedTuple):
    """One commit, as an observer sees it: the version it made, the rows it fired in order, and the limit after it.

    A refusal commits nothing: it has the version of the state that it read. The first event of a pool has version 0,
    no rows, and alone a setup. Sorted by version, the events of a pool are its trace [TRACE-REPLAYS].
    """

    version: int
    fired: tuple[Fired, ...]
    limit: float
    setup: PoolSetup | None = None


@dataclass(frozen=True, slots=True)
class PoolStats:
    """The counts of one moment, all from one state [SNAPSHOT-CONSISTENT].

    ``live`` = creating + free + checked_out + returning + discarded, and
    ``created`` + ``added`` = live − creating + detached + destroyed. ``limit`` is None if unbounded.
    """

    name: str
    phase: Phase
    limit: int | None
    min_size: int
    live: int
    creating: int
    free: int
    checked_out: int
    returning: int
    discarded: int
    waiting: int
    backlog: int
    created: int
    added: int
    detached: int
    destroyed: int
    generation: int
    version: int


@dataclass(frozen=True, slots=True)
class Holder:
    """One lease that is out: its number, its slot's number, who acquired it, and for how many seconds; and by which
    stack, if the pool traces leases."""

    lease: int
    slot: int
    who: str
    seconds: float
    stack: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Pooled(Generic[R]):
    """One resource of a pool: itself, its slot's number, the state of the slot, for how many seconds it has been in
    that state, and how often it was granted. It may be held by somebody: look at it, do not use it.

    Of a pool without max_age and max_idle, a free one tells the seconds since it was last granted instead.
    """

    resource: R
    slot: int
    state: SlotState
    seconds: float
    uses: int


@dataclass(frozen=True, slots=True)
class CloseReport:
    """What close achieved: whether the pool is closed, how many waiters it refused, how many resources it saw
    destroyed, whom it revoked a lease, and who still holds what."""

    closed: bool
    refused: int
    destroyed: int
    revoked: tuple[Holder, ...]
    holders: tuple[Holder, ...]


def stats_of(name: str, min_size: int, state: State) -> PoolStats:
    ledger = state.ledger
    return PoolStats(
        name=name,
        phase=ledger.phase,
        limit=None if ledger.limit == UNBOUNDED else int(ledger.limit),
        min_size=min_size,
        live=ledger.live,
        creating=ledger.creating,
        free=free_count(state),
        checked_out=checked_out_count(state),
        returning=ledger.returning,
        discarded=ledger.discarded,
        waiting=ledger.waiting,
        backlog=sum(length(items) for items in walk(ledger.backlog)),
        created=ledger.created,
        added=ledger.added,
        detached=ledger.detached,
        destroyed=ledger.destroyed,
        generation=ledger.generation,
        version=state.version,
    )
