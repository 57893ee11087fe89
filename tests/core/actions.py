"""The functions of the core as the contracts use them, and the shapes for which each is confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.contracts import (
    Action,
    free_slots,
    is_bound,
    is_open,
    may_stay,
    meagre,
    none_fit_free,
    some_unfit,
    would_be_short,
)
from core.shapes import Scene, Shape
from poolproof import core
from poolproof.core.values import (
    CHECKED_OUT,
    CREATING,
    DISCARDED,
    RETURNING,
    Fired,
    Record,
    Retired,
    SlotState,
    State,
    Step,
    Ticket,
    read,
)
from poolproof.core.world import backlog_of


def held(function: Callable[..., Step], **extra: Any) -> Callable[[Scene], Step]:
    """Call *function* on the subject as its holder would."""

    def perform(scene: Scene) -> Step:
        slot = scene.subject
        assert slot is not None
        return function(scene.state, scene.options, slot, read(slot), now=scene.now, **extra)

    return perform


def pool(function: Callable[..., Step | None]) -> Callable[[Scene], Step | None]:
    return lambda scene: function(scene.state, scene.options, now=scene.now)


def always(row: str) -> Callable[[Scene], str | None]:
    return lambda scene: row


def if_open(row: str) -> Callable[[Scene], str | None]:
    return lambda scene: row if is_open(scene) else None


def either(row: str, other: str) -> Callable[[Scene], str | None]:
    """The first if the slot may stay, else the other."""
    return lambda scene: row if may_stay(scene) else other


# Acquire.


def arriving_row(patient: bool) -> Callable[[Scene], str | None]:
    """The row that the table names for an acquire that finds no fit free slot."""

    def row(scene: Scene) -> str:
        ledger, options = scene.state.ledger, scene.options
        if not is_open(scene):
            return "REFUSE-CLOSED"
        if options.raise_when_empty and not options.factory and ledger.live == ledger.discarded:
            return "REFUSE-EMPTY"
        if would_be_short(scene):
            return "QUEUE"
        if ledger.waiting >= options.max_waiting:
            return "REFUSE-BUSY"
        return "QUEUE" if patient else "REFUSE-TIMEOUT"

    return row


def arrive(patient: bool) -> Callable[[Scene], Step | None]:
    def perform(scene: Scene) -> Step | None:
        row = core.refusal(scene.state, scene.options, patient, scene.now)
        if row is not None:
            return Step(scene.state, (), (), (), (Fired(row),))
        ticket = Ticket(500, None, None)
        return core.enqueue(scene.state, scene.options, ticket, scene.now)

    return perform


def grant_free(scene: Scene) -> Step | None:
    found = core.grant_free(scene.state, scene.options, scene.now, "client")
    if found is None:
        return None
    state, slot, record = State.of(found[0]), found[1], Record._make(found[2])
    return Step(state, ((slot, record),), (), (), (Fired("GRANT-FREE", slot.number, record.number),))


def withdraw(place: int) -> Callable[[Scene], Step | None]:
    return lambda scene: core.withdraw(scene.state, scene.options, scene.tickets[place], scene.now)


def withdrawn_row(place: int) -> Callable[[Scene], str | None]:
    return lambda scene: "WITHDRAW" if is_open(scene) and scene.tickets[place].record.state == "waiting" else None


# Others.


def grant_row(scene: Scene) -> str | None:
    return "GRANT-FREE" if scene.now < free_slots(scene)[0].expires else None


def failed_row(scene: Scene) -> str | None:
    return "BUILD-FAILED" if is_bound(scene) else "BUILD-LOST"


def check_row(scene: Scene) -> str | None:
    return "CHECK-FAILED" if is_open(scene) and scene.shape.mark != "fresh" else "CHECK-REFUSED"


def adopt_row(scene: Scene) -> str | None:
    return "ADOPT" if backlog_of(scene.state) else None


def expire_row(scene: Scene) -> str | None:
    return "EXPIRE" if some_unfit(scene) else None


def add_row(scene: Scene) -> str | None:
    return "ADD" if has_room(scene) else None


def check_failed(scene: Scene) -> Step:
    slot, ticket = scene.subject, scene.lease
    assert slot is not None
    assert ticket is not None
    return core.check_failed(scene.state, scene.options, slot, read(slot), ticket, scene.now)


def add(scene: Scene) -> Step | None:
    return core.add(scene.state, scene.options, "resource", scene.numbers.expires, scene.now)


def has_room(scene: Scene) -> Any:
    return is_open(scene) and scene.state.ledger.live < scene.state.ledger.limit


def on_free(function: Callable[..., Step | None], place: int) -> Callable[[Scene], Step | None]:
    def perform(scene: Scene) -> Step | None:
        slot = free_slots(scene)[place]
        return function(scene.state, scene.options, slot, now=scene.now)

    return perform


def remove(scene: Scene) -> Step | None:
    assert scene.subject is not None
    return core.remove(scene.state, scene.options, scene.subject, scene.now)


def retire_row(scene: Scene) -> str | None:
    assert scene.subject is not None
    return None if isinstance(read(scene.subject).mark, Retired) else "RETIRE"


def resize(scene: Scene) -> Step | None:
    return core.resize(scene.state, scene.options, scene.numbers.age, scene.now)


def resize_row(scene: Scene) -> str | None:
    return "RESIZE" if is_open(scene) and scene.numbers.age != scene.state.ledger.limit else None


def shrink(scene: Scene) -> Step | None:
    """Each free slot is unused since the time that is also its age limit; so many may stay, and so long."""
    for slot in free_slots(scene):
        slot.record = read(slot)._replace(since=slot.expires)
    numbers = scene.numbers
    options = replace(scene.options, max_free=numbers.uses, shrink_to=numbers.uses, max_idle=numbers.most_uses)
    step = core.shrink(scene.state, options, scene.now)
    due = leaving(scene)
    # Where others leave than those who must, the contract is told of no step, which is not what is due.
    return step if not due or (step is not None and [each.slot for each in step.fired] == due) else None


def leaving(scene: Scene) -> list[int]:
    """Who must go, in their order: all that are idle, and then as many as are too many, but min_size stay."""
    numbers, ledger = scene.numbers, scene.state.ledger
    slots = free_slots(scene) if scene.options.fifo else free_slots(scene)[::-1]
    idle = [slot.number for slot in slots if scene.now - slot.expires > numbers.most_uses]
    others = [slot.number for slot in slots if slot.number not in idle]
    gone: list[int] = []
    for number in [*idle, *others]:
        spare = ledger.live - ledger.discarded - len(gone) > numbers.low
        if spare and (number in idle or len(slots) - len(gone) > numbers.uses):
            gone.append(number)
    return gone


def shrink_row(scene: Scene) -> str | None:
    return "SHRINK" if leaving(scene) else None


def refill_row(scene: Scene) -> str | None:
    due = is_open(scene) and scene.options.factory and not scene.state.ledger.backing_off and meagre(scene)
    return "REFILL" if due else None


def retry_row(scene: Scene) -> str | None:
    ledger = scene.state.ledger
    return "RETRY" if ledger.backing_off and ledger.retry_at <= scene.now else None


# Every shape of the lists up to two each; a step that is about a slot has it besides.

QUEUES = ("W", "B", "WW", "WB", "BW", "BB", "WT", "BT", "B|W", "B|T")
STAGES = (
    Shape(),
    *(Shape(queue=queue) for queue in QUEUES),
    Shape(free=1),
    Shape(free=2),
    Shape(free=1, back=1, fifo=True),
    Shape(backlog="f,rd"),
    Shape(phase="closing"),
)
FREE = tuple(stage for stage in STAGES if stage.free)
WAITING = tuple(stage for stage in STAGES if stage.queue)
BACKLOGS = tuple(Shape(backlog=backlog) for backlog in ("f", "d", "r", "fr", "f,d", "rf,d"))
LEASED = (
    *(Shape(queue=queue, mark=mark) for mark in ("fresh", "retired") for queue in ("", "B", "BW")),
    Shape(phase="closing", mark="fresh"),
)
BOUND = (
    *(Shape(queue=queue, mark="bound0") for queue in ("B", "BW", "BB", "BT", "B|B")),
    *(Shape(queue=queue, mark="bound1") for queue in ("WB", "BB", "B|B")),
)


def about(state: SlotState, *shapes: Shape) -> tuple[Shape, ...]:
    return tuple(shape._replace(subject=state) for shape in shapes)


LEASE = about(CHECKED_OUT, *STAGES, *LEASED)
BUILD = about(CREATING, *STAGES, *BOUND)
RESET = about(RETURNING, *STAGES, Shape(mark="retired"))
DESTROY = about(DISCARDED, *STAGES)

CONTRACTS: dict[str, tuple[Action, tuple[Shape, ...]]] = {
    "grant_free": (Action(grant_free, grant_row), FREE),
    "arrive, patient": (Action(arrive(patient=True), arriving_row(patient=True), none_fit_free), STAGES),
    "arrive, timeout 0": (Action(arrive(patient=False), arriving_row(patient=False), none_fit_free), STAGES),
    "withdraw the first": (Action(withdraw(0), withdrawn_row(0)), WAITING),
    "withdraw the second": (Action(withdraw(1), withdrawn_row(1)), tuple(s for s in WAITING if len(s.queue) > 1)),
    "build_ok": (Action(held(core.build_ok), either("BUILD-OK", "BUILD-LATE")), BUILD),
    "build_failed": (Action(held(core.build_failed, error=OSError()), failed_row), BUILD),
    "build_abandoned": (Action(held(core.build_abandoned), always("BUILD-ABANDONED")), BUILD),
    "release": (Action(held(core.release, reset=False), either("RELEASE", "DISCARD")), LEASE),
    "release to reset": (Action(held(core.release, reset=True), either("RELEASE-RESET", "DISCARD")), LEASE),
    "discard": (Action(held(core.discard), always("DISCARD")), LEASE),
    "abandon": (Action(held(core.abandon, reset=False), either("RELEASE", "ABANDON")), LEASE),
    "abandon to reset": (Action(held(core.abandon, reset=True), always("ABANDON")), LEASE),
    "detach": (Action(held(core.detach), always("DETACH")), LEASE),
    "revoke": (Action(held(core.revoke), always("REVOKE")), LEASE),
    "check_failed": (Action(check_failed, check_row), LEASE),
    "reset_ok": (Action(held(core.reset_ok, since=0), either("RESET-OK", "RESET-FAILED")), RESET),
    "reset_failed": (Action(held(core.reset_failed), always("RESET-FAILED")), RESET),
    "orphan a reset": (Action(held(core.orphan), always("ORPHAN")), RESET),
    "orphan a destruction": (Action(held(core.orphan), always("ORPHAN")), DESTROY),
    "destroyed": (Action(held(core.destroyed), always("DESTROYED")), DESTROY),
    "adopt": (Action(pool(core.adopt), adopt_row), (Shape(), *BACKLOGS)),
    "inspect the first": (Action(on_free(core.inspect, 0), always("INSPECT")), FREE),
    "inspect the last": (Action(on_free(core.inspect, -1), always("INSPECT")), FREE),
    "expire": (Action(pool(core.expire), expire_row), (Shape(), *FREE)),
    "shrink": (Action(shrink, shrink_row), (Shape(), *FREE)),
    "add": (Action(add, add_row), STAGES),
    "remove the first": (Action(on_free(core.remove, 0), always("REMOVE-FREE")), FREE),
    "remove the last": (Action(on_free(core.remove, -1), always("REMOVE-FREE")), FREE),
    "remove, leased": (Action(remove, retire_row), about(CHECKED_OUT, Shape(), *LEASED)),
    "remove, returning": (Action(remove, retire_row), about(RETURNING, Shape(), Shape(mark="retired"))),
    "resize": (Action(resize, resize_row), STAGES),
    "renew": (Action(pool(core.renew), if_open("RENEW")), STAGES),
    "refill": (Action(pool(core.refill), refill_row), STAGES),
    "retry": (Action(pool(core.retry), retry_row), STAGES),
    "close": (Action(pool(core.close), if_open("CLOSE")), STAGES),
}

# What one ordinary run confirms: shapes up to two for what moves along the lists, up to one for
# the rest, and fewer for what differs little from another.
THOROUGH = (
    "grant_free", "withdraw the first", "withdraw the second", "expire", "inspect the first", "inspect the last",
    "remove the first", "remove the last", "adopt", "close",
)  # fmt: skip
BRIEF = (
    "release to reset", "abandon", "abandon to reset", "discard", "detach", "revoke", "reset_ok", "reset_failed",
    "orphan a reset", "orphan a destruction", "resize",
)  # fmt: skip
LONG_QUEUES = ("WWW", "BWW", "BBW", "BBB", "WBW", "BWT", "BTW", "B|TW", "W|BT", "B|WW")


def size(shape: Shape) -> int:
    """The length of the longest list."""
    return max(len(shape.queue.replace("|", "")), shape.free + shape.back)


def ordinary(name: str) -> tuple[Shape, ...]:
    if name in BRIEF:
        few = [shape for shape in CONTRACTS[name][1] if not shape.mark and not shape.backlog]
        return tuple(shape for shape in few if size(shape) <= 1 and shape.queue != "W")
    bound = 2 if name in THOROUGH else 1
    return tuple(shape for shape in CONTRACTS[name][1] if size(shape) <= bound)


def longer(name: str) -> tuple[Shape, ...]:
    """Every shape up to two, and up to three where the contract is about lists."""
    shapes = CONTRACTS[name][1]
    more: list[Shape] = []
    for shape in dict.fromkeys(shape._replace(queue="", mark="") for shape in shapes if size(shape) == 2):
        if not shape.free:
            more += [shape._replace(queue=queue) for queue in LONG_QUEUES]
        else:
            more += [shape._replace(free=3, back=0, fifo=False), shape._replace(free=1, back=2, fifo=True)]
    return tuple(dict.fromkeys([*shapes, *more]))


# Shapes that no step leads to: nobody waits beside a free slot, and a pool that is not open has neither.
IMPOSSIBLE_SHAPES = (
    Shape(free=1, queue="W"),
    Shape(free=2, queue="B"),
    Shape(queue="TW"),
    Shape(phase="closing", free=1),
    Shape(phase="closing", queue="W"),
    Shape(phase="closed", free=1),
)
