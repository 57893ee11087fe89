"""A step under construction, and the balance that ends every one.

A `Draft` is opened on a state, changed by one row's function, and finished; nothing outside sees it before. All
writes go to the draft: neither the state nor any cell is touched, so a draft may be dropped at any time.
"""

from __future__ import annotations

from typing import Any

from poolproof.core.lists import from_iterable, keep, length, normal, push, queue_items, walk
from poolproof.core.values import (
    CHECKED_OUT,
    CLOSED,
    CLOSING,
    CREATING,
    DISCARDED,
    FREE,
    FRESH,
    GRANTED,
    OPEN,
    WAITING,
    Destroy,
    Effect,
    Fired,
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
    make,
    read,
)


class Draft:
    """The next state while it is being made: the fields of `State` and `Ledger` as plain attributes."""

    __slots__ = (
        "added", "back", "backing_off", "backlog", "closers", "created", "creating", "destroyed", "detached",
        "discarded", "effects", "failures", "fired", "free", "generation", "just_built", "limit", "live", "made",
        "moves", "now", "options", "phase", "queue", "retry_at", "returning", "state", "tail", "tombs", "version",
        "waiting", "wakes",
    )  # fmt: skip
    phase: Phase

    def __init__(self, state: State, options: Options, now: float) -> None:
        self.state = state
        self.options = options
        self.now = now
        version, self.free, self.back, ledger = state
        self.version = version + 1
        (
            _, self.generation, self.phase, self.limit, self.live, self.creating, self.returning, self.discarded,
            self.queue, self.tail, self.waiting, self.tombs, self.backlog, self.backing_off, self.retry_at,
            self.failures, self.made, self.created, self.added, self.detached, self.destroyed, self.closers,
        ) = ledger  # fmt: skip
        self.just_built: Slot | None = None
        self.moves: dict[Slot | Ticket, Any] = {}
        self.effects: list[Effect] = []
        self.wakes: list[Ticket] = []
        self.fired: list[Fired] = []

    # Quantities, as spec/machines.md defines them.

    @property
    def staying(self) -> int:
        return self.live - self.discarded

    @property
    def short(self) -> bool:
        return self.phase == OPEN and self.options.factory and self.creating < self.waiting and self.live < self.limit

    @property
    def meagre(self) -> bool:
        return self.staying < self.options.min_size and self.live < self.limit

    def record_of(self, cell: Any) -> Any:
        """What *cell* will hold after this step."""
        if cell in self.moves:
            return self.moves[cell]
        return read(cell) if isinstance(cell, Slot) else cell.record

    def fit(self, slot: Slot, record: Record) -> bool:
        """Whether *slot* may be granted once more.  [AGE]"""
        return (
            slot.generation == self.generation
            and self.now < slot.expires
            and record.uses < self.options.max_uses
            and record.mark.__class__ is not Retired
        )

    # Moves that several rows share.

    def fire(self, row: str, slot: Slot | None = None, ticket: int | None = None) -> None:
        self.fired.append(make(Fired, (row, slot.number if slot is not None else None, ticket)))

    def move_slot(self, slot: Slot, state: SlotState, old: Record, mark: Mark = None) -> Record:
        """Put *slot* into *state* from now on; whoever held it by the old record holds it no longer."""
        _, uses, _, who, number, _ = old
        record = make(Record, (state, uses, self.now, who, number, mark))
        self.moves[slot] = record
        return record

    def put_free(self, slot: Slot, uses: int, since: float) -> None:
        """Make *slot* free: next of all with lifo order, last with fifo order."""
        self.moves[slot] = make(Record, (FREE, uses, since, None, 0, None))
        if self.options.fifo:
            self.free, self.back = normal(self.free, push(slot, self.back))
        else:
            self.free = push(slot, self.free)

    def pop_free(self) -> Slot:
        slot: Slot = self.free[0]
        self.free, self.back = normal(self.free[1], self.back)
        return slot

    def discard(self, slot: Slot, old: Record, mark: Mark = None) -> None:
        """Put *slot* out of use for good; whoever commits this step owes its destruction."""
        record = self.move_slot(slot, DISCARDED, old, mark)
        self.discarded += 1
        self.effects.append(Destroy(slot, record))

    def forsake(self, slot: Slot) -> None:
        """Put *slot*, which is in no list and whose discard is counted, on the list of unowned work.

        Its register need not move: a slot on the backlog whose register does not say returning is discarded. And
        the backlog is a list of lists. Both make bulk steps (close, renewal) one commit of constant size.
        """
        self.backlog = push(push(slot, ()), self.backlog)

    def forsake_all_free(self) -> None:
        """Discard every free slot, unowned.  Cost: O(1)."""
        self.discarded += length(self.free) + length(self.back)
        for items in (self.back, self.free):
            if items:
                self.backlog = push(items, self.backlog)
        self.free = self.back = ()

    def grant(self, slot: Slot, old: Record, ticket: Ticket, mark: Mark = None) -> None:
        """*slot* is *ticket*'s from here on: the linearization point of a waiter's acquire.

        The obligation to end the lease is now the waiter's; if the waiter is interrupted before it knows, its own
        cancellation finds the ticket granted and gives the slot back (ONE-OUTCOME).
        """
        hold = make(Record, (CHECKED_OUT, old[1] + 1, self.now, ticket.who, ticket.number, mark))
        self.moves[slot] = hold
        self.moves[ticket] = make(TicketRecord, (GRANTED, self.record_of(ticket).build, slot, hold, None))
        self.wakes.append(ticket)

    # The queue of tickets.

    def next_ticket(self) -> Ticket:
        """Take the longest-waiting ticket out of the queue, and the withdrawn ones behind it."""
        ticket: Ticket = self.queue[0]
        self.queue, self.tail = normal(self.queue[1], self.tail)
        self.waiting -= 1
        self.skip_tombs()
        return ticket

    def leave_queue(self, ticket: Ticket, record: TicketRecord) -> None:
        """Take *ticket*, wherever it stands, out of the queue.  Cost: O(1) in the long run.

        Unless it is the first it stays as a tombstone, passed over later; when the dead outnumber the living the
        queue is made anew.
        """
        self.moves[ticket] = record
        if self.queue[0] is ticket:
            self.next_ticket()
            return
        self.waiting -= 1
        self.tombs += 1
        if self.tombs > self.waiting:
            self.queue = keep(self.queue, self.tail, lambda other: self.record_of(other).state == WAITING)
            self.tail, self.tombs = (), 0

    def skip_tombs(self) -> None:
        """Make the first of the queue a living ticket again.  Cost: O(1), paid for by the withdrawals."""
        while self.queue and self.record_of(self.queue[0]).state != WAITING:
            self.queue, self.tail = normal(self.queue[1], self.tail)
            self.tombs -= 1

    # The balance.

    def balance(self) -> None:
        """Tickets and free slots are matched, builds started, the end of closing seen: machines.md, last section."""
        while self.waiting and self.free:
            self.hand_off()
        if self.short:
            self.build_start()
        if self.phase == CLOSING and self.live == 0:
            self.phase = CLOSED
            self.wakes.extend(self.closers)
            self.closers = ()
            self.fire("CLOSED")

    def hand_off(self) -> None:
        """Give the next free slot to the longest-waiting ticket.  [HAND-OFF] [EXPIRE]"""
        slot = self.pop_free()
        record = self.record_of(slot)
        if not self.fit(slot, record):
            self.discarded += 1
            self.forsake(slot)
            self.fire("EXPIRE", slot)
            return
        ticket = self.next_ticket()
        self.grant(slot, record, ticket, FRESH if slot is self.just_built else None)
        self.fire("HAND-OFF", slot, ticket.number)

    def build_start(self) -> None:
        """Start a build for the longest-waiting ticket that has none; that ticket owes it from here on.
        [BUILD-START]"""
        ticket = self.first_unbound()
        record = self.new_creating(ticket)
        slot = Slot(self.made, self.generation, record)
        self.moves[ticket] = self.record_of(ticket)._replace(build=slot)
        self.wakes.append(ticket)
        self.fire("BUILD-START", slot, ticket.number)

    def new_creating(self, ticket: Ticket | None) -> Record:
        """absent → creating, bound to *ticket* if there is one: the record for the new slot's register."""
        self.made += 1
        self.live += 1
        self.creating += 1
        return Record(CREATING, 0, self.now, ticket, 0 if ticket is None else ticket.number, None)

    def first_unbound(self) -> Ticket:
        """The longest-waiting ticket to which no build is bound. There is one whenever creating < waiting."""
        found = next(filter(self.is_unbound, walk(self.queue)), None)
        if found is None:
            self.queue, self.tail = from_iterable(queue_items(self.queue, self.tail)), ()
            found = next(filter(self.is_unbound, walk(self.queue)))
        ticket: Ticket = found
        return ticket

    def is_unbound(self, ticket: Ticket) -> bool:
        record = self.record_of(ticket)
        return bool(record.state == WAITING and record.build is None)

    def tell(self) -> None:
        """Have unowned work taken over by those who would sleep beside it: the longest-waiting ticket, and whoever
        waits for the end of closing.

        They are told when work is added, and when the ticket that was told before has left the queue (BACKLOG-DRAINS).
        """
        ledger = self.state.ledger
        if not self.backlog or (self.backlog is ledger.backlog and self.queue is ledger.queue):
            return
        first = [self.queue[0]] if self.waiting else []
        idle = [*filter(self.is_unbound, walk(self.queue))][:1]  # the first may be busy with its own create
        self.wakes += [ticket for ticket in dict.fromkeys((*first, *idle, *self.closers)) if ticket not in self.wakes]

    # The end.

    def finish(self) -> Step:
        """Balance, and the step is made."""
        self.balance()
        self.tell()
        quiet = (
            self.phase == OPEN
            and not self.waiting
            and not self.backlog
            and self.staying <= self.limit
            and not self.options.reset
        )
        ledger = make(Ledger, (
            quiet, self.generation, self.phase, self.limit, self.live, self.creating, self.returning, self.discarded,
            self.queue, self.tail, self.waiting, self.tombs, self.backlog, self.backing_off, self.retry_at,
            self.failures, self.made, self.created, self.added, self.detached, self.destroyed, self.closers,
        ))  # fmt: skip
        state = make(State, (self.version, self.free, self.back, ledger))
        parts = state, tuple(self.moves.items()), tuple(self.effects), tuple(self.wakes), tuple(self.fired)
        return make(Step, parts)


def free_count(state: State) -> int:
    """How many slots are free.  Cost: O(1)."""
    return length(state.free) + length(state.back)


def checked_out_count(state: State) -> int:
    """How many slots are checked out.  Cost: O(1)."""
    ledger = state.ledger
    return ledger.live - ledger.creating - ledger.returning - ledger.discarded - free_count(state)
