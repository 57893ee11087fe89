"""The values of the pool: what a state is made of.

Everything here is an immutable value, with two exceptions that hold values: the *cells* `Slot` and `Ticket`, each
with one register ``record``. Core functions read registers and never write them; the runtime's commit writes them,
together with the pool's state, in one critical region (clauses EXCLUSIVE, CONSERVATION).

Immutable means tuples, not frozen dataclasses: these
values are made twice in every cycle, and a frozen dataclass costs ten times as much (docs/decisions/encodings.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

Phase: TypeAlias = Literal["open", "closing", "closed"]
SlotState: TypeAlias = Literal["creating", "free", "checked_out", "returning", "discarded", "absent"]
TicketState: TypeAlias = Literal["new", "waiting", "granted", "withdrawn", "refused"]

OPEN: Final = "open"
CLOSING: Final = "closing"
CLOSED: Final = "closed"

CREATING: Final = "creating"
FREE: Final = "free"
CHECKED_OUT: Final = "checked_out"
RETURNING: Final = "returning"
DISCARDED: Final = "discarded"
ABSENT: Final = "absent"

NEW: Final = "new"
WAITING: Final = "waiting"
GRANTED: Final = "granted"
WITHDRAWN: Final = "withdrawn"
REFUSED: Final = "refused"

UNBOUNDED: Final = float("inf")

# A named tuple's own constructor takes twice as long, and a step makes a dozen of them.
make: Final = tuple.__new__


class Record(NamedTuple):
    """What is known of one slot at one moment. Its identity *is* the hold on the slot: whoever has the record that
    stands in the slot's register holds the slot, and nobody else does (LEASE-ONCE).

    ``since`` is when this state began, ``uses`` how often the slot was granted, ``who`` names the holder,
    ``number`` is the number of the ticket that was granted. ``mark`` says what is special: FRESH, a `Retired` mark,
    REVOKED, FORKED (the slot belongs to the parent process), or nothing.
    """

    state: SlotState
    uses: int
    since: float
    who: object
    number: int
    mark: Mark


# The same without names. The two functions that every uncontended cycle runs make their states and records as plain
# tuples, which takes 35 ns each instead of 130 to 160 (docs/decisions/encodings.md); everything else reads by name,
# through `read` and `State.of`.
PlainRecord: TypeAlias = tuple["SlotState", int, float, object, int, "Mark"]


def read(slot: Slot) -> Record:
    """What *slot*'s register holds, by name. Do not compare its identity: that is the register's."""
    record = slot.record
    return record if record.__class__ is Record else make(Record, record)


class Retired(NamedTuple):
    """The mark of a slot that leaves when its holder is done: the record that the holder still knows it by."""

    origin: PlainRecord
    fresh: bool


def current_record(slot: Slot, hold: PlainRecord) -> Record | None:
    """The record in *slot*'s register if whoever got it by *hold* holds it still, else None.

    It is the very same record, or the one that replaced it when the slot was marked to leave.
    """
    plain = slot.record  # read once: it may be replaced at any moment
    record = plain if plain.__class__ is Record else make(Record, plain)
    if plain is hold:
        return record
    mark = record.mark
    return record if isinstance(mark, Retired) and mark.origin is hold else None


FRESH: Final = "fresh"
REVOKED: Final = "revoked"
FORKED: Final = "forked"
Mark: TypeAlias = Retired | Literal["fresh", "revoked", "forked"] | None


class Slot:
    """The cell of one slot, from creating to absent. Every field but ``record`` is written before it is shared,
    or by the one builder who owns it."""

    __slots__ = ("expires", "generation", "number", "record", "reset", "resource")

    def __init__(self, number: int, generation: int, record: PlainRecord) -> None:
        self.number: Final = number
        self.generation: Final = generation
        self.record = record
        self.resource: Any = None
        self.reset: OwnReset | None = None
        self.expires = UNBOUNDED


class OwnReset(NamedTuple):
    """The reset of one lease, instead of the pool's; *number* tells of which lease."""

    number: int
    function: Any


class TicketRecord(NamedTuple):
    """What is known of one ticket: its state; the slot whose build it owes, if any; what it was granted (the slot
    and the record that makes it the holder); and why it was refused."""

    state: TicketState
    build: Slot | None = None
    slot: Slot | None = None
    hold: PlainRecord | None = None
    error: BaseException | None = None


class Ticket:
    """The cell of one acquire call that has to wait. ``parker`` is the runtime's and means nothing to the core."""

    __slots__ = ("number", "parker", "record", "who")

    def __init__(self, number: int, who: object, parker: Any) -> None:
        self.number = number
        self.who: Final = who
        self.parker: Final = parker
        self.record = TicketRecord(NEW)


# A list is () or (first, rest, length): O(1) at its front, shared between states, its length at hand.
FreeList: TypeAlias = Any
TicketList: TypeAlias = Any


class Ledger(NamedTuple):
    """All of the state that an uncontended cycle leaves alone.

    ``quiet`` says that nothing needs looking after when a lease ends. ``queue`` and ``tail`` hold the tickets in order
    (the tail reversed), living and withdrawn; the first is always a living one. ``waiting`` counts the living,
    ``tombs`` the withdrawn. ``retry_at`` is when refilling may be tried again, ``failures`` how often it failed in a
    row. The first two fields stand first because a quick release reads them by position.
    """

    quiet: bool
    generation: int
    phase: Phase
    limit: float
    live: int
    creating: int
    returning: int
    discarded: int
    queue: TicketList
    tail: TicketList
    waiting: int
    tombs: int
    backlog: Any
    backing_off: bool
    retry_at: float
    failures: int
    made: int
    created: int
    added: int
    detached: int
    destroyed: int
    closers: tuple[Ticket, ...]


class State(NamedTuple):
    """The pool's value. ``free`` is the free list; with fifo order, ``back`` is its far end, reversed.
    ``version`` counts commits, so that a state is never equal to an earlier one."""

    version: int
    free: FreeList
    back: FreeList
    ledger: Ledger

    @staticmethod
    def of(state: PlainState) -> State:
        """The same state, by name. Do not compare its identity: that is the atom's."""
        return state if state.__class__ is State else make(State, state)


PlainState: TypeAlias = tuple[int, "FreeList", "FreeList", "Ledger"]


@dataclass(frozen=True, slots=True)
class Options:
    """What never changes in a pool's life, as far as the core needs to know. Times in seconds.

    A frozen dataclass is slow to make and fast to read, and this one is made once.
    """

    factory: bool = False
    reset: bool = False
    fifo: bool = False
    raise_when_empty: bool = False
    min_size: int = 0
    max_waiting: float = UNBOUNDED
    max_free: float = UNBOUNDED
    shrink_to: float = UNBOUNDED
    max_idle: float = UNBOUNDED
    max_uses: float = UNBOUNDED
    plain: bool = False  # lifo, and neither max_free nor max_uses, and nothing ages: nothing to compare at a release
    ages: bool = True  # false only if max_idle and the expiry of every slot are UNBOUNDED
    retry_delay: float = 1.0
    retry_delay_max: float = 60.0


class Build(NamedTuple):
    """Effect: call create for this slot. Bound to no ticket: a bound build is owed by its ticket."""

    slot: Slot
    record: PlainRecord


class Reset(NamedTuple):
    """Effect: reset the resource."""

    slot: Slot
    record: PlainRecord


class Check(NamedTuple):
    """Effect of an inspection: check the resource, which has been free since *since*."""

    slot: Slot
    record: PlainRecord
    since: float


class Destroy(NamedTuple):
    """Effect: destroy the resource."""

    slot: Slot
    record: PlainRecord


Effect: TypeAlias = Build | Reset | Check | Destroy


class Fired(NamedTuple):
    """One row that a step fired, with the numbers of the slot and the ticket that it moved."""

    row: str
    slot: int | None = None
    ticket: int | None = None


class Step(NamedTuple):
    """A proposed step: the next state, the registers that move with it (at most three), what to do afterwards, whom
    to wake, and the rows that it fires."""

    state: State
    moves: tuple[tuple[Slot | Ticket, Any], ...]
    effects: tuple[Effect, ...]
    wakes: tuple[Ticket, ...]
    fired: tuple[Fired, ...]


EMPTY_LEDGER: Final = Ledger(
    quiet=False, generation=0, phase=OPEN, limit=UNBOUNDED, live=0, creating=0, returning=0, discarded=0,
    queue=(), tail=(), waiting=0, tombs=0, backlog=(), backing_off=False, retry_at=0.0, failures=0,
    made=0, created=0, added=0, detached=0, destroyed=0, closers=(),
)  # fmt: skip
