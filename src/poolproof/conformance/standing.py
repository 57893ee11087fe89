"""Where a thread stands: all that its future depends on and that is its own, as one plain value.

A thread between two points is a stack of frames: for each, which instruction comes next and what its variables hold.
Two threads that stand alike and find the same world do the same. Objects whose *identity* the pool compares (states,
and the records in registers) are told by what they hold and by whether they are still the current ones; that may
change while the thread is stopped, so it is asked anew at every moment.

What a frame keeps besides its variables cannot be seen: how far a loop has come, above all. So inside of a ``for``
loop a thread is told by everything it has seen since its operation began, which is always enough.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from copy import copy
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, MethodType
from typing import Any

from poolproof import Lease
from poolproof.conformance.liveness import place
from poolproof.conformance.points import ScheduledAtom, Who
from poolproof.conformance.scene import Thing
from poolproof.core.values import Fired, Ledger, Slot, Ticket, TicketRecord
from poolproof.registry import Reservation
from poolproof.waiting import Waiter
from poolproof.work import Duty

ATOMIC = (int, float, str, bool, type(None), Who)
_SLOT_STATES = frozenset(("creating", "free", "checked_out", "returning", "discarded", "absent"))
_COMMIT = ScheduledAtom.commit.__code__


class Unknown(Exception):
    """A variable holds something that has no plain form: then the thread is told by all it has seen."""


class Standing:
    """One thread at one point. *states* and *records* are what it holds whose identity counts."""

    __slots__ = ("frames", "place", "records", "remembers", "states")

    def __init__(
        self, frames: Any, states: tuple[int, ...], records: tuple[int, ...], place: tuple[int, ...], remembers: bool
    ) -> None:
        self.frames = frames
        self.place = place  # the instruction in each frame
        self.remembers = remembers  # whether it is told by what it has seen
        self.states = states
        self.records = records


class Look:
    """One look at the frames of the calling thread."""

    def __init__(self) -> None:
        self.states: list[int] = []
        self.records: list[int] = []
        self.seen: set[int] = set()
        self.place: list[int] = []
        self.remembers = False

    def standing(self, frame: FrameType | None, outermost: CodeType, history: int) -> Standing:
        """Where the thread stands whose innermost frame of interest is *frame*."""
        frames: list[Any] = []
        try:
            while frame is not None and frame.f_code is not outermost:
                if frame.f_code.co_filename not in MACHINERY:
                    frames.append(self.frame(frame, history))
                frame = frame.f_back
        except Unknown as unknown:
            return Standing((history, str(unknown)), (), (), (), True)
        error = sys.exc_info()[1]
        while error is not None:
            frames.append(type(error).__name__)
            error = error.__context__
        return Standing(tuple(frames), tuple(self.states), tuple(self.records), tuple(self.place), self.remembers)

    def frame(self, frame: FrameType, history: int) -> Any:
        code, at = frame.f_code, frame.f_lasti
        self.place.append(at)
        if code is _COMMIT:
            ticket = frame.f_locals.get("ticket")
            return at, None if ticket is None else ticket.who
        known = place(code, at)
        variables = frame.f_locals
        held = tuple([(name, self.plain(value)) for name, value in variables.items() if name in known.live])
        if isinstance(variables, dict):
            variables.clear()  # a copy, kept by the frame: nothing may live longer for having been looked at
        self.remembers |= known.in_loop
        return id(code), at, held, history if known.in_loop else 0

    def plain(self, value: Any) -> Any:
        kind = type(value)
        if kind in ATOMIC:
            return value
        known = PLAIN.get(kind)
        if known is not None:
            return known(self, value)
        if isinstance(value, tuple):
            return self.sequence(value)
        if isinstance(value, BaseException):
            return kind.__name__
        return kind.__qualname__ if kind.__qualname__ in CONSTANT else self.unknown(value)

    def unknown(self, value: Any) -> Any:
        raise Unknown(type(value).__qualname__)

    def sequence(self, value: tuple[Any, ...]) -> Any:
        if len(value) == 4 and type(value[3]) is Ledger:
            return self.state(value)
        if len(value) == 6 and type(value[0]) is str and value[0] in _SLOT_STATES:
            return self.record(value)
        return tuple([self.plain(each) for each in value])

    def state(self, value: Any) -> Any:
        """A state by its place among those that this thread holds; whether it is current is asked later."""
        version = value[0]
        if version not in self.states:
            self.states.append(version)
        ledger = value[3]
        return (
            "state", self.states.index(version), ledger.phase, ledger.limit, ledger.live, ledger.creating,
            ledger.discarded, ledger.waiting, bool(ledger.backlog), ledger.generation, ledger.destroyed,
            self.numbers(value[1]), self.numbers(value[2]),
        )  # fmt: skip

    def record(self, value: Any) -> Any:
        if id(value) not in self.records:
            self.records.append(id(value))
        return "record", self.records.index(id(value)), value[0], value[1], value[2], self.plain(value[3])

    def numbers(self, items: Any) -> Any:
        found = []
        while items:
            found.append(items[0].number if type(items[0]) is Slot else self.plain(items[0]))
            items = items[1]
        return tuple(found)

    def ticket(self, ticket: Ticket) -> Any:
        record: Any = ticket.record
        if id(ticket) in self.seen:
            return ticket.who
        self.seen.add(id(ticket))
        return "ticket", ticket.who, self.ticket_record(record), ticket.parker.token

    def ticket_record(self, record: TicketRecord) -> Any:
        build, slot = record.build, record.slot
        return (
            record.state, build and build.number, slot and slot.number,
            record.hold and self.record(record.hold), type(record.error).__name__,
        )  # fmt: skip

    def waiter(self, waiter: Waiter) -> Any:
        if id(waiter) in self.seen:
            return "waiter"
        self.seen.add(id(waiter))
        begun = waiter.begun
        return (
            waiter.deadline, waiter.patient, waiter.asked, waiter.reset is None, begun and begun.number,
            waiter.leased, self.ticket(waiter.ticket),
        )  # fmt: skip

    def duty(self, duty: Duty) -> Any:
        return "duty", type(duty.effect).__name__, duty.slot.number, self.record(duty.record), bool(duty.unclaimed)

    def lease(self, lease: Any) -> Any:
        return "lease", lease._slot.number, self.record(lease._record)

    def function(self, function: FunctionType) -> Any:
        cells = function.__closure__ or ()
        return id(function.__code__), tuple([self.cell(cell) for cell in cells])

    def cell(self, cell: Any) -> Any:
        try:
            return self.plain(cell.cell_contents)
        except ValueError:  # empty
            return "empty"

    def iterator(self, iterator: Any) -> Any:
        return "left", tuple([self.plain(each) for each in copy(iterator)])

    def several(self, values: Any) -> Any:
        return "several", tuple([self.plain(each) for each in values])

    def pairs(self, values: Any) -> Any:
        return tuple([(self.plain(key), self.plain(value)) for key, value in values.items()])


# Frames of the crew and of those who look on.
MACHINERY = frozenset(__file__.replace("standing", name) for name in ("crew", "search", "standing"))

CONSTANT = frozenset(
    (
        "Client", "Scene", "Crew", "Worker", "Driver", "Pool", "ScheduledAtom", "ScheduledParker", "ScheduledRuntime",
        "CrewExecutor", "Operation", "Settings", "Registry", "type", "ABCMeta", "module", "Explorer", "object",
        "Options",
    )
)  # fmt: skip

PLAIN: dict[type, Callable[[Look, Any], Any]] = {
    Slot: lambda look, slot: ("slot", slot.number),
    Ticket: Look.ticket,
    TicketRecord: Look.ticket_record,
    Waiter: Look.waiter,
    Duty: Look.duty,
    Lease: Look.lease,
    Fired: lambda look, fired: (fired.row, fired.slot),
    FunctionType: Look.function,
    MethodType: lambda look, method: (method.__name__, look.plain(method.__self__)),
    BuiltinFunctionType: lambda look, function: function.__name__,
    Reservation: lambda look, place: ("reservation", place._stub.taken and place._stub.taken.number),
    Thing: lambda look, thing: ("thing", thing.number),
    list: Look.several,
    dict: Look.pairs,
    defaultdict: Look.pairs,
    frozenset: lambda look, values: ("set", len(values)),
    type(iter(())): Look.iterator,
    type(iter([])): Look.iterator,
}
