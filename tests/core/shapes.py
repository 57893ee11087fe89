"""Worlds of a fixed shape whose numbers are unknown: what the contracts quantify over.

A `Shape` fixes the length of every list and the state of every slot and ticket in it; `Numbers` are plain ints and
stay symbolic. Slots that a step does not look at are only counted: so many checked out, creating, returning,
discarded elsewhere, without bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from poolproof.core.lists import from_iterable, length, queue_items, reverse
from poolproof.core.values import (
    ABSENT,
    CHECKED_OUT,
    CLOSED,
    CREATING,
    DISCARDED,
    EMPTY_LEDGER,
    FREE,
    FRESH,
    GRANTED,
    OPEN,
    RETURNING,
    WAITING,
    WITHDRAWN,
    Ledger,
    Mark,
    Options,
    Phase,
    Record,
    Retired,
    Slot,
    SlotState,
    State,
    Step,
    Ticket,
    TicketRecord,
    read,
)
from poolproof.core.world import backlog_of


class Shape(NamedTuple):
    """``free`` and ``back`` are lengths. ``queue`` spells the tickets in order: B waits and has a build, W waits
    without, T has withdrawn; from a bar on they stand in the tail. ``backlog`` spells the unowned work in order by
    what the registers say: d discarded, f still free, r returning; a comma begins another list. ``subject`` is the
    state of the slot that the step is about, ``mark`` its mark: fresh, retired, or bound (to the ticket in the queue
    with that place)."""

    phase: Phase = OPEN
    free: int = 0
    back: int = 0
    queue: str = ""
    backlog: str = ""
    subject: SlotState | None = None
    mark: str = ""
    fifo: bool = False


class Numbers(NamedTuple):
    """``held``, ``making``, ``away``, ``gone``: slots checked out, creating, returning and discarded elsewhere.
    ``age``, ``uses``, ``expires`` are the subject's: generation, uses, and when it is too old. ``first``, ``second``,
    ``third``: when the free slots are."""

    limit: int
    low: int
    most_waiting: int
    held: int
    making: int
    away: int
    gone: int
    now: int
    generation: int
    age: int
    uses: int
    most_uses: int
    expires: int
    first: int
    second: int
    third: int
    factory: bool
    backing_off: bool


def both(claims: Iterable[Any]) -> Any:
    """All of the claims, as one formula: without a branch for each."""
    result: Any = True
    for claim in claims:
        result = result & claim
    return result


def counted(numbers: Numbers) -> Any:
    """Counts are counts, and a resource may be used at all."""
    counts = (numbers.limit, numbers.low, numbers.held, numbers.making, numbers.away, numbers.gone, numbers.uses)
    return both([*(count >= 0 for count in counts), numbers.most_uses >= 1])


class Scene:
    """The world of a shape and numbers, with every cell at hand, and what must be true of it."""

    def __init__(self, shape: Shape, numbers: Numbers) -> None:
        self.shape, self.numbers = shape, numbers
        self.now = numbers.now
        self.options = Options(
            factory=numbers.factory,
            fifo=shape.fifo,
            min_size=numbers.low,
            max_waiting=numbers.most_waiting,
            max_uses=numbers.most_uses,
        )
        self.slots: list[Slot] = []
        self.tickets: list[Ticket] = []
        ends = (numbers.first, numbers.second, numbers.third)
        free = [self._slot(FREE, expires=end) for end in ends[: shape.free + shape.back]]
        queue = [self._ticket(sign) for sign in shape.queue if sign != "|"]
        cut = shape.queue.index("|") if "|" in shape.queue else len(queue)
        backlog = [[self._unowned(sign) for sign in part] for part in shape.backlog.split(",") if part]
        self.lease: Ticket | None = None
        self.subject = self._subject()
        ledger = EMPTY_LEDGER._replace(
            phase=shape.phase,
            limit=numbers.limit,
            generation=numbers.generation,
            queue=from_iterable(queue[:cut]),
            tail=reverse(from_iterable(queue[cut:])),
            waiting=shape.queue.count("B") + shape.queue.count("W"),
            tombs=shape.queue.count("T"),
            backlog=from_iterable(from_iterable(part) for part in backlog),
            backing_off=numbers.backing_off,
            retry_at=0,
            made=len(self.slots),
            added=5,
            detached=2,
            destroyed=3,
            **self.counts([slot for part in backlog for slot in part]),
        )
        ledger = ledger._replace(created=ledger.live - ledger.creating)
        ledger = ledger._replace(quiet=self.is_quiet(ledger))
        front, back = from_iterable(free[: shape.free]), reverse(from_iterable(free[shape.free :]))
        self.state = State(1, front, back, ledger)

    # Cells.

    def _slot(self, state: SlotState, uses: Any = 0, expires: Any = 0, age: Any = None, who: object = None) -> Slot:
        number = len(self.slots) + 1
        generation = self.numbers.generation if age is None else age
        slot = Slot(number, generation, Record(state, uses, 0, who, number, None))
        slot.expires = expires
        self.slots.append(slot)
        return slot

    def _ticket(self, sign: str) -> Ticket:
        ticket = Ticket(100 + len(self.tickets), None, None)
        self.tickets.append(ticket)
        if sign == "T":
            ticket.record = TicketRecord(WITHDRAWN)
        elif sign == "W":
            ticket.record = TicketRecord(WAITING)
        else:
            ticket.record = TicketRecord(WAITING, self._slot(CREATING, who=ticket))
        return ticket

    def _unowned(self, sign: str) -> Slot:
        states: dict[str, SlotState] = {"d": DISCARDED, "f": FREE, "r": RETURNING}
        return self._slot(states[sign])

    def _subject(self) -> Slot | None:
        """The slot that the step is about; a lease comes with its ticket, a bound build is one of the queue's."""
        shape, numbers = self.shape, self.numbers
        if shape.subject is None:
            return None
        if shape.mark.startswith("bound"):
            ticket = self.tickets[int(shape.mark[-1])]
            slot = ticket.record.build
            assert slot is not None
            index = self.slots.index(slot)
            bound = Slot(slot.number, numbers.age, read(slot))
            bound.expires = numbers.expires
            self.slots[index] = bound
            ticket.record = TicketRecord(WAITING, bound)
            return bound
        uses = 0 if shape.subject == CREATING else numbers.uses
        slot = self._slot(shape.subject, uses, numbers.expires, numbers.age)
        slot.record = self._marked(read(slot))
        if shape.subject == CHECKED_OUT:
            self.lease = Ticket(slot.number, None, None)
            self.lease.record = TicketRecord(GRANTED, None, slot, slot.record)
        return slot

    def _marked(self, old: Record) -> Record:
        marks: dict[str, Mark] = {"fresh": FRESH, "retired": Retired(old, False), "": None}
        return Record(old.state, old.uses, old.since, old.who, old.number, marks[self.shape.mark])

    # Steps.

    def commit(self, step: Step) -> None:
        """Make *step* true."""
        for cell, record in step.moves:
            cell.record = record
            if isinstance(cell, Ticket) and cell not in self.tickets and cell is not self.lease:
                self.tickets.append(cell)
            if isinstance(cell, Slot) and cell not in self.slots:
                self.slots.append(cell)
        builds = [ticket.record.build for ticket in self.tickets if ticket.record.build is not None]
        if self.lease is not None and self.lease.record.build is not None:
            builds.append(self.lease.record.build)
        builds += [effect.slot for effect in step.effects]
        for slot in builds:
            if slot not in self.slots and read(slot).state == CREATING:
                self.slots.append(slot)
        self.slots = [slot for slot in self.slots if read(slot).state != ABSENT]
        self.state = step.state

    # What must be true.

    def counts(self, backlog: list[Slot]) -> dict[str, Any]:
        """The counts of the ledger, counted again: of the listed slots by their states, and of the others."""
        numbers = self.numbers
        states = [state_of(slot, backlog) for slot in self.slots]
        return {
            "live": len(states) + numbers.held + numbers.making + numbers.away + numbers.gone,
            "creating": states.count(CREATING) + numbers.making,
            "returning": states.count(RETURNING) + numbers.away,
            "discarded": states.count(DISCARDED) + numbers.gone,
        }

    def is_quiet(self, ledger: Ledger) -> Any:
        calm = ledger.phase == OPEN and not ledger.waiting and not ledger.backlog
        return calm & (ledger.live - ledger.discarded <= ledger.limit)

    def sound(self) -> Any:
        """The invariant: every clause that `poolproof.core.world.broken` looks at, and what it cannot see."""
        return both([*self._lists_are_right(), *self._numbers_are_right()])

    def _lists_are_right(self) -> list[Any]:
        """EXCLUSIVE, WAIT-FIFO, NEVER-STALE."""
        state, ledger = self.state, self.state.ledger
        free, backlog = queue_items(state.free, state.back), backlog_of(state)
        queue = queue_items(ledger.queue, ledger.tail)
        states = [state_of(slot, backlog) for slot in self.slots]
        living = [ticket for ticket in queue if ticket.record.state == WAITING]
        waits = [ticket for ticket in self.tickets if ticket.record.state == WAITING]
        if self.lease is not None and self.lease.record.state == WAITING:
            waits.append(self.lease)
        return [
            len(free) == length(state.free) + length(state.back) == states.count(FREE),
            all(self._once(slot, free, backlog) for slot in self.slots),
            len(free) + len(backlog) <= len(self.slots),
            bool(state.free) or not state.back,
            bool(ledger.queue) or not ledger.tail,
            not queue or queue[0].record.state == WAITING,
            ledger.phase != OPEN or (len(living) == len(waits) and all(ticket in living for ticket in waits)),
            (len(living), len(queue) - len(living)) == (ledger.waiting, ledger.tombs),
            *(slot.generation == ledger.generation for slot in free),
            *(read(slot).uses < self.options.max_uses for slot in free),
            *(not isinstance(read(slot).mark, Retired) for slot in free),
        ]

    def _once(self, slot: Slot, free: list[Slot], backlog: list[Slot]) -> bool:
        places = free.count(slot) + backlog.count(slot)
        return places == 1 if read(slot).state == FREE else places == backlog.count(slot) <= 1

    def _numbers_are_right(self) -> list[Any]:
        """COUNTS-RECOUNT, CONSERVATION, WORK-CONSERVING, CLOSE-FINAL."""
        state, ledger = self.state, self.state.ledger
        again = self.counts(backlog_of(state))
        served = (not ledger.waiting) or (
            (not length(state.free))
            & either(not_(self.options.factory), ledger.creating >= ledger.waiting, ledger.live >= ledger.limit)
        )
        return [
            *(getattr(ledger, name) == count for name, count in again.items()),
            ledger.created + ledger.added == ledger.live - ledger.creating + ledger.detached + ledger.destroyed,
            served,
            ledger.quiet == self.is_quiet(ledger),
            ledger.phase == OPEN or both([not queue_items(state.free, state.back), not ledger.queue]),
            ledger.phase == OPEN or ((ledger.phase == CLOSED) == (ledger.live == 0)),
            ledger.phase == OPEN or not_(ledger.backing_off),
        ]


def state_of(slot: Slot, backlog: list[Slot]) -> SlotState:
    """The state of *slot*. The backlog decides before the register: a bulk step moves lists only."""
    if slot in backlog:
        return RETURNING if read(slot).state == RETURNING else DISCARDED
    return read(slot).state


def either(*claims: Any) -> Any:
    """One of the claims at least, as one formula."""
    result: Any = False
    for claim in claims:
        result = result | claim
    return result


def not_(claim: Any) -> Any:
    """The opposite, as a formula: ``not`` would branch."""
    return claim ^ True
