"""The shipped core takes exactly the steps of the model.

In every reachable state of the model, each encoded in several ways, every call of the core is made. Each step that
the core proposes must be one that the model allows, with the same rows, the same successor and the effects of the
table; and each event that the model allows must be proposed by some call. States and events are never sampled.

Numbers are labels: of states that differ only in the numbers of slots and tickets, the ordinary run looks at one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

import poolmodel
from core.calls import first_state
from core.refinement import (
    NOT_PROPOSED,
    Outcomes,
    disagreements,
    must_be_proposed,
    outcomes,
    wrong_ageing,
    wrong_arrival_behind_unfit,
)
from core.worlds import VARIANTS, Built, alpha, gamma, options_of
from poolmodel.configurations import SCOPES
from poolmodel.explore import Node, Scope, first_node, steps

Form = Callable[[poolmodel.State], poolmodel.State]


class Disagreement(AssertionError):
    """The core and the model differ in one state."""


def check_state(state: poolmodel.State, scope: Scope, allowed: Outcomes) -> None:
    config, domain = scope.config, scope.domain()
    proposed: set[poolmodel.Event] = set()
    complaints: list[str] = []
    for variant in VARIANTS:
        built = gamma(state, config, variant)
        for found in disagreements(state, config, built, allowed, domain):
            if isinstance(found, poolmodel.Event):
                proposed.add(found)
            else:
                complaints.append(f"{found} ({variant})")
        complaints += wrong_ageing(built, allowed)
        complaints += wrong_arrival_behind_unfit(built)
    complaints += [f"{event} is never proposed" for event in must_be_proposed(allowed, state) - proposed]
    if complaints:
        raise Disagreement("\n".join([f"{scope.config}", f"{state}", *complaints]))


def explore(scope: Scope, form: Form) -> Counter[str]:
    """Check every state that is reachable in *scope*, breadth first; return which rows began how many steps.

    Clients that acquire for ever are alike, and so *form* chooses the states to go on from; others are not.
    """
    first, began = first_node(scope), Counter[str]()
    seen, queue, checked = {first}, [first], set[poolmodel.State]()
    for node in queue:
        state = form(node.state)
        if state not in checked:
            checked.add(state)
            allowed = outcomes(state, scope.config, scope.domain())
            check_state(state, scope, allowed)
            began.update([event.row for event in allowed])
        for step in steps(scope, node, scope.domain()):
            new = step.node if scope.rounds is not None else Node(form(step.node.state), ())
            if new not in seen:
                seen.add(new)
                queue.append(new)
    return began


def renumbered(state: poolmodel.State) -> poolmodel.State:
    """The one of all states like *state* in which slots and tickets are numbered by where they stand."""
    rank = {number: place for place, number in enumerate(state.queue, start=1)}

    def standing(slot: poolmodel.Slot) -> tuple[object, ...]:
        place = state.free.index(slot.number) if slot.state == "free" else -1
        return slot.state, rank.get(slot.bound or 0, 0), slot.unfit, slot.fresh, slot.owned, place

    slots = sorted(state.slots, key=standing)
    for slot in slots:
        if slot.holder is not None:
            rank[slot.holder] = len(rank) + 1
    number = {slot.number: place for place, slot in enumerate(slots, start=1)}
    return state._replace(
        slots=tuple(
            slot._replace(
                number=number[slot.number],
                bound=None if slot.bound is None else rank[slot.bound],
                holder=None if slot.holder is None else rank[slot.holder],
            )
            for slot in slots
        ),
        free=tuple(number[old] for old in state.free),
        queue=tuple(rank[old] for old in state.queue),
    )


def as_it_is(state: poolmodel.State) -> poolmodel.State:
    return state


@cache
def explored(name: str) -> Counter[str]:
    return explore(SCOPES[name], renumbered)


@pytest.mark.clause("WAIT-FIFO", "WORK-CONSERVING", "CAPACITY", "CONSERVATION", "EXCLUSIVE", "ONE-OUTCOME")
@pytest.mark.parametrize("name", SCOPES)
def test_every_step_is_a_step_of_the_model(name: str) -> None:
    assert explored(name)


def test_every_row_is_reached() -> None:
    reached = {row for name in SCOPES for row in explored(name)}
    assert {row.id for row in poolmodel.ROWS.values() if not row.inside} == reached
    assert reached > set(NOT_PROPOSED)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SCOPES)
def test_every_step_is_a_step_of_the_model_whatever_the_numbers(name: str) -> None:
    assert explore(SCOPES[name], as_it_is)


@pytest.mark.clause("FORK-SAFE")
@pytest.mark.parametrize("name", SCOPES)
def test_the_first_state_is_the_first_of_the_model(name: str) -> None:
    config = SCOPES[name].config
    options = options_of(config)
    built = Built(first_state(config), options, {}, {})
    assert poolmodel.initial(config) == alpha(built.world(), options, built.now)
