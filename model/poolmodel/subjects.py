"""Whom a row may be about: the *from* and *event* columns of the table, as enumerations.

Each function makes, for the name of a row, the function that lists the events of that row in a state. Guards
are not looked at here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from poolmodel.state import (
    Config,
    Domain,
    Event,
    Phase,
    Slot,
    SlotState,
    State,
    fresh_number,
    is_new,
    oldest_free,
    surplus,
    unbuilt,
)

Subjects = Callable[[State, Config, Domain], Iterable[Event]]
Named = Callable[[str], Subjects]


def new_ticket(name: str) -> Subjects:
    """A call of acquire of which nothing has happened yet."""

    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        return [Event(name, ticket=ticket) for ticket in domain.tickets if is_new(state, ticket)]

    return subjects


def new_ticket_and_next_free(name: str) -> Subjects:
    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        return [
            Event(name, slot=number, ticket=ticket)
            for number in state.free[:1]
            for ticket in domain.tickets
            if is_new(state, ticket)
        ]

    return subjects


def new_ticket_of_a_pool_that_raises(name: str) -> Subjects:
    return _only_if(lambda config: config.when_empty == "raise", new_ticket(name))


def new_ticket_of_a_bounded_queue(name: str) -> Subjects:
    return _only_if(lambda config: config.max_waiting is not None, new_ticket(name))


def waiting_ticket(name: str) -> Subjects:
    return lambda state, config, domain: [Event(name, ticket=ticket) for ticket in state.queue]


def slot_in(*states: SlotState) -> Named:
    """A slot in one of *states*; a checked-out slot comes with the ticket that holds it."""

    def named(name: str) -> Subjects:
        def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
            return [Event(name, slot.number, slot.holder) for slot in state.slots if slot.state in states]

        return subjects

    return named


checked_out = slot_in("checked_out")


def checked_out_with_check(name: str) -> Subjects:
    return _only_if(lambda config: config.check, checked_out(name))


def checked_out_with_reset(name: str) -> Subjects:
    return _only_if(lambda config: config.reset or config.lease_reset, checked_out(name))


def free_with_check(name: str) -> Subjects:
    return _only_if(lambda config: config.check, slot_in("free")(name))


def bound_build(name: str) -> Subjects:
    """A build with a waiting ticket to which it is bound."""

    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        return [Event(name, slot.number, slot.bound) for slot in state.slots if slot.bound is not None]

    return subjects


def unbound_build(name: str) -> Subjects:
    """A build that nobody has asked for, or whose ticket has stopped waiting."""

    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        return [Event(name, slot.number) for slot in state.slots if slot.state == "creating" and slot.bound is None]

    return subjects


def any_build(name: str) -> Subjects:
    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        return [Event(name, slot.number) for slot in state.slots if slot.state == "creating"]

    return subjects


def may_be_free_again(state: State, slot: Slot) -> bool:
    return state.phase == "open" and not slot.unfit and not surplus(state)


def end_takes_work(name: str) -> Subjects:
    """A lease whose slot cannot simply become free: it needs a reset, or a destroy."""

    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        return [
            Event(name, slot.number, slot.holder)
            for slot in state.slots
            if slot.state == "checked_out"
            and (config.reset or config.lease_reset or not may_be_free_again(state, slot))
        ]

    return subjects


def oldest(name: str) -> Subjects:
    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        return [Event(name, slot=oldest_free(state, config))] if state.free else []

    return subjects


def offered(name: str) -> Subjects:
    """An object from outside, and a number for the slot that it would fill."""

    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        number = _number(state, domain)
        if any(slot.number == number for slot in state.slots):
            return []
        return [Event(name, slot=number, resource=resource) for resource in domain.resources]

    return subjects


def new_slot_with_factory(name: str) -> Subjects:
    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        number = _number(state, domain)
        if not config.factory or any(slot.number == number for slot in state.slots):
            return []
        return [Event(name, slot=number)]

    return subjects


def any_pool(name: str) -> Subjects:
    """The pool as it is.

    Where the *from* column says ``open``, the row has the guard of that name too; the guard does the work, so
    that dropping it means something.
    """
    return lambda state, config, domain: [Event(name)]


def new_limit(name: str) -> Subjects:
    return lambda state, config, domain: [Event(name, limit=limit) for limit in domain.limits]


def pool_in(phase: Phase) -> Named:
    def named(name: str) -> Subjects:
        return lambda state, config, domain: [Event(name)] if state.phase == phase else []

    return named


def next_free_and_waiting(name: str) -> Subjects:
    """The next free slot with each waiting ticket, the newest first: the guard alone keeps the order."""

    def subjects(state: State, config: Config, domain: Domain) -> Iterable[Event]:
        return [Event(name, number, ticket) for number in state.free[:1] for ticket in reversed(state.queue)]

    return subjects


def next_build(name: str) -> Subjects:
    """One new slot, for the longest-waiting ticket that has no build."""
    return lambda state, config, domain: [Event(name, _number(state, domain), unbuilt(state))]


def _number(state: State, domain: Domain) -> int:
    return fresh_number(state) if domain.new_slot is None else domain.new_slot


def _only_if(configured: Callable[[Config], bool], subjects: Subjects) -> Subjects:
    """The event can happen only in a pool that is so configured."""
    return lambda state, config, domain: subjects(state, config, domain) if configured(config) else ()
