"""The shipped core takes exactly the steps of the model.

In every reachable state of the model, each encoded in several ways, every call of the core is made. Each step that
the core proposes must be one that the model allows, with the same rows, the same successor and the effects of the
table; and each event that the model allows must be proposed by some call. States and events are never sampled.
"""

from __future__ import annotations

import poolmodel
import pytest

from core.calls import first_state
from core.refinement import (
    Outcomes,
    disagreements,
    must_be_proposed,
    outcomes,
    wrong_ageing,
    wrong_arrival_behind_unfit,
)
from core.scopes import LARGER, SCOPES, Scope
from core.worlds import VARIANTS, Built, alpha, gamma, options_of


def check_state(state: poolmodel.State, scope: Scope, allowed: Outcomes) -> None:
    config, domain = scope.config, scope.domain
    proposed: set[poolmodel.Event] = set()
    complaints: list[str] = []
    for variant in VARIANTS:
        built = gamma(state, config, variant)
        for found in disagreements(state, config, built, allowed, domain):
            if isinstance(found, poolmodel.Event):
                proposed.add(found)
            else:
                complaints.append(f"{found} ({variant})")
        complaints += wrong_ageing(state, built, allowed, config)
        complaints += wrong_arrival_behind_unfit(built)
    missing = must_be_proposed(allowed, state) - proposed
    assert ([], set()) == (complaints, missing), f"in {state}"


def explore(scope: Scope) -> int:
    """Check every state that is reachable in *scope*, breadth first; return how many there were."""
    first = poolmodel.initial(scope.config)
    seen, queue = {first}, [first]
    for state in queue:
        allowed = outcomes(state, scope.config, scope.domain)
        check_state(state, scope, allowed)
        new = {outcome.state for outcome in allowed.values()} - seen
        seen |= new
        queue += new
    return len(seen)


@pytest.mark.parametrize("scope", [pytest.param(scope, id=name) for name, scope in SCOPES.items()])
def test_every_step_is_a_step_of_the_model(scope: Scope) -> None:
    assert explore(scope) == scope.states


@pytest.mark.exhaustive
@pytest.mark.parametrize("scope", [pytest.param(scope, id=name) for name, scope in LARGER.items()])
def test_every_step_is_a_step_of_the_model_in_larger_scopes(scope: Scope) -> None:
    assert explore(scope) == scope.states


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_the_first_state_is_the_first_of_the_model(scope: Scope) -> None:
    state, options = first_state(scope.config), options_of(scope.config)
    built = Built(state, options, {}, {})
    assert poolmodel.initial(scope.config) == alpha(built.world(), options, built.now)
