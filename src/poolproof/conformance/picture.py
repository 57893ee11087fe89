"""The whole of a run's shared state as one plain value, equal whenever nothing can tell two moments apart.

Search does not explore twice from one moment. So what must be in here is everything that the future depends on and
that is not a thread's own; and what may be left out is only how the numbers of versions and tickets came about.
Those appear as the client operation that they belong to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poolproof.core.lists import walk
from poolproof.core.values import ABSENT, CHECKED_OUT, Retired, Ticket

if TYPE_CHECKING:
    from poolproof.conformance.scene import Scene


def numbers(items: Any) -> tuple[Any, ...]:
    found = []
    while items:
        found.append(items[0].number)
        items = items[1]
    return tuple(found)


def picture(scene: Scene) -> tuple[Any, ...]:
    """The shared state: the pool's, its registers, its registry, the clock, the parkers, and what the bench knows."""
    _, free, back, ledger = scene.atom.now
    conserved = ledger.created + ledger.added - ledger.live + ledger.creating - ledger.detached - ledger.destroyed
    return (
        ledger.phase, ledger.limit, ledger.generation, ledger.live, ledger.creating, ledger.returning,
        ledger.discarded, ledger.waiting, ledger.tombs, ledger.backing_off, ledger.retry_at, ledger.failures,
        ledger.made, conserved, ledger.detached, ledger.quiet,
        numbers(free), numbers(back), tuple(map(numbers, walk(ledger.backlog))) if ledger.backlog else (),
        queued(ledger.queue), queued(ledger.tail), tuple(each.who for each in ledger.closers),
        registers(scene), tickets(scene), tuple([slot.number for slot in scene.pool._driver.registry.all()]),
        scene.crew.now, scene.faults_left, scene.strikes_left,
        scene.executor.picture(), scene.pool._driver.trusts_executor,
        scene.building, scene.made, scene.created, scene.gone,
    )  # fmt: skip


def queued(items: Any) -> tuple[Any, ...]:
    return tuple([(each.who, each.record.state) for each in walk(items)]) if items else ()


def registers(scene: Scene) -> tuple[Any, ...]:
    """Every live slot and its register. A record is told from others by whose it is: the holder's operation if it is
    a lease's, the writer's if it is a duty's."""
    found = []
    uses, timed = scene.options.uses, scene.timed
    for slot in scene.slots.values():
        state, used, since, who, _, mark = slot.record
        if state == ABSENT:
            continue
        if state != CHECKED_OUT:
            bound = who.who if isinstance(who, Ticket) else None
            who = (scene.writers.get(slot.number), bound)
        kind = ("retired", mark.fresh) if isinstance(mark, Retired) else mark
        thing = slot.resource
        thing_number = -1 if thing is None else thing.number
        found.append((
            slot.number, state, who, kind, slot.generation, used if uses else 0, since if timed else 0.0,
            thing_number, thing is not None and thing.destroyed, slot.reset is not None,
        ))  # fmt: skip
    return tuple(found)


def tickets(scene: Scene) -> frozenset[Any]:
    """Every ticket of an operation that has not ended, with what it has come to and whether it was told."""
    found = []
    for ticket in scene.tickets.values():
        record = ticket.record
        found.append((
            ticket.who, record.state, record.build and record.build.number, record.slot and record.slot.number,
            record.error is not None, ticket.parker.token, ticket.parker.sleeper is not None,
        ))  # fmt: skip
    return frozenset(found)
