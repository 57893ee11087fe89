"""Wrong versions of the core, each with the contract that must refute it: contracts that cannot fail show nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.actions import CONTRACTS
from core.contracts import Action
from core.shapes import Scene, Shape
from poolproof.core import upkeep
from poolproof.core.draft import Draft
from poolproof.core.lists import queue_items
from poolproof.core.values import DISCARDED, Options, Record, Slot, State, Step, Ticket, TicketRecord


def wronged(name: str, method: str, wrong: Callable[..., Any], owner: Any = Draft) -> Action:
    """The action *name* carried out by a core in which *method* of *owner* is *wrong*."""
    right, action = getattr(owner, method), CONTRACTS[name][0]

    def perform(scene: Scene) -> Step | None:
        setattr(owner, method, wrong)
        try:
            return action.perform(scene)
        finally:
            setattr(owner, method, right)

    return action._replace(perform=perform)


def last_ticket(self: Draft) -> Ticket:
    """The newest waiter is served first."""
    ticket: Ticket = self.queue[1][0]
    self.queue = (self.queue[0], (), 1)
    self.waiting -= 1
    return ticket


def discard_uncounted(self: Draft, slot: Slot, old: Record, mark: Any = None) -> None:
    self.move_slot(slot, DISCARDED, old, mark)


def stay_in_queue(self: Draft, ticket: Ticket, record: TicketRecord) -> None:
    """The ticket's register moves, and it stays in the queue."""
    self.moves[ticket] = record
    self.waiting -= 1


def gone_twice(self: Draft, slot: Slot, state: Any, old: Record, mark: Any = None) -> Record:
    """A slot that becomes absent gives its capacity back once more."""
    record = Record(state, old.uses, self.now, old.who, old.number, mark)
    self.moves[slot] = record
    self.live -= state == "absent"
    return record


def always_fit(self: Draft, slot: Slot, record: Record) -> bool:
    return True


def no_build(self: Draft) -> None:
    """Whoever waits is left waiting."""


def free_without_list(self: Draft, slot: Slot, uses: int, since: float) -> None:
    """The register says free, and no list has the slot."""
    self.moves[slot] = Record("free", uses, since, None, 0, None)


def newest_first(state: State, options: Options) -> list[Slot]:
    return queue_items(state.free, state.back)


LEASED = Shape(subject="checked_out")
WRONG: dict[str, tuple[Action, Shape]] = {
    "the newest is served first": (
        wronged("release", "next_ticket", last_ticket),
        LEASED._replace(queue="BB"),
    ),
    "discarded is not counted": (wronged("discard", "discard", discard_uncounted), LEASED),
    "a failed build leaves its ticket in the queue": (
        wronged("build_failed", "leave_queue", stay_in_queue),
        Shape(queue="B", subject="creating", mark="bound0"),
    ),
    "capacity is given back twice": (
        wronged("destroyed", "move_slot", gone_twice),
        Shape(subject="discarded"),
    ),
    "what is unfit goes on": (wronged("release", "fit", always_fit), LEASED),
    "nobody builds for who waits": (
        wronged("destroyed", "build_start", no_build),
        Shape(queue="W", subject="discarded"),
    ),
    "a free slot is in no list": (wronged("release", "put_free", free_without_list), LEASED),
    "the newest leaves first": (wronged("shrink", "oldest_first", newest_first, upkeep), Shape(free=2)),
}
