"""The scenarios as tests: a class to derive from in one's own tests.

from poolproof.conformance import PoolConformance

class TestMyPool(PoolConformance):
    @staticmethod
    def make_pool(spec):
        return MyAdapter(spec)
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from poolproof.conformance.suite.adapter import AdapterError, PoolSpec, Subject, subject
from poolproof.conformance.suite.plugin import RESULTS, effort
from poolproof.conformance.suite.report.findings import Report, known_deviations
from poolproof.conformance.suite.report.terminal import told
from poolproof.conformance.suite.running import run, scenarios
from poolproof.conformance.suite.stage import Scenario


@pytest.mark.stateful
class PoolConformance:
    """One test for each scenario; their ids are those of the clauses. Override `make_pool`."""

    known: ClassVar[Path | None] = None  # a file of known deviations

    @staticmethod
    def make_pool(spec: PoolSpec) -> Any:
        raise NotImplementedError("derive a class, and override make_pool")

    @pytest.fixture
    def conformance_subject(self, request: pytest.FixtureRequest) -> Subject:
        """The pool under test."""
        return checked(request.cls.make_pool)

    @pytest.mark.parametrize("scenario", [pytest.param(each, id=each.id) for each in scenarios()])
    def test_clause(self, scenario: Scenario, conformance_subject: Subject, request: pytest.FixtureRequest) -> None:
        known = type(self).known or request.config.getoption("--pool-known", None)
        judge(scenario, conformance_subject, request.config, known)


@cache
def checked(factory: Any) -> Subject:
    """The pool that the factory makes; looked at once."""
    try:
        return subject(factory)
    except AdapterError as error:
        raise pytest.UsageError(str(error)) from error


def judge(scenario: Scenario, pool: Subject, config: pytest.Config, known: Path | None) -> None:
    """Run one scenario as a test."""
    seed: int = config.getoption("--pool-seed", 0)
    result = run(scenario, pool, seed=seed, effort=effort(config))
    config.stash.setdefault(RESULTS, []).append(result)
    report = Report(pool, [result], seed, effort(config), known_deviations(known))
    if report.vanished():
        pytest.fail(f"{scenario.id} is a known deviation, and is {result.verdict}: take it off the list", pytrace=False)
    if report.news():
        pytest.fail("\n".join(told(report, result)), pytrace=False)
    if result.verdict == "broken":
        pytest.xfail(f"known: {report.known[scenario.id]}")
    if result.verdict != "kept":
        pytest.skip(f"{result.verdict}: {result.told}")
