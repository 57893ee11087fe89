"""Each guard, dropped: the kind that the table declares is the kind that it is."""

from __future__ import annotations

import pytest

from model.recording import Explored
from poolmodel.necessity import all_guards, judge
from specification import clauses, rows

KINDS = {(row.id, name): kind for row in rows() for name, kind in row.guards}
NAMES = {clause.id for clause in clauses()} | {"NO-WASTE"}


@pytest.mark.clause("INVALID-UNCHANGED")
@pytest.mark.parametrize(("row", "guard"), list(all_guards()), ids=lambda name: name)
def test_a_guard_is_of_the_kind_that_the_table_declares(row: str, guard: str, explored: Explored) -> None:
    # Where the limit may be unbounded, what is thrown away without reason piles up for ever: such graphs are infinite.
    bounded = [found for found in explored.scopes.values() if None not in found.scope.limits]
    verdict = judge(row, guard, sorted(bounded, key=lambda found: found.states))
    assert verdict.kind == KINDS[row, guard], verdict
    assert bool(verdict.policies) == (verdict.kind == "policy") or verdict.kind == "needed"
    assert verdict.policies <= NAMES
