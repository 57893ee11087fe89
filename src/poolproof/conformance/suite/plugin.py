"""The pytest plugin: ``pytest --pyargs poolproof.conformance -m stateful --pool package.module:factory``."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolproof.conformance.suite.adapter import AdapterError, subject
from poolproof.conformance.suite.command import EXHAUSTIVE, write
from poolproof.conformance.suite.report.findings import Report, known_deviations
from poolproof.conformance.suite.running import Result

RESULTS = pytest.StashKey[list[Result]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("poolproof", "conformance of resource pools")
    group.addoption("--pool", metavar="MODULE:FACTORY", help="the pool under test: makes an adapter from a PoolSpec")
    group.addoption("--pool-seed", type=int, default=0, metavar="N", help="of everything that is random (default 0)")
    group.addoption("--pool-exhaustive", action="store_true", help="every interruption point, many more random runs")
    group.addoption("--pool-known", type=Path, metavar="TOML", help="known deviations, which must still be there")
    group.addoption("--pool-json", type=Path, metavar="PATH", help="write the report of --pool as JSON")
    group.addoption("--pool-html", type=Path, metavar="PATH", help="write the report of --pool as one page")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = []
    for line in ("stateful: drives a whole pool through many steps", "clause(*ids): the clauses that the test shows"):
        config.addinivalue_line("markers", line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever asks for the suite says for which pool; a missing or wrong one is an error, not a skip."""
    if not any(getattr(getattr(item, "cls", None), "named", False) for item in items):
        return
    if (path := config.getoption("--pool")) is None:
        raise pytest.UsageError("which pool? say --pool package.module:factory")
    try:
        subject(path)
    except AdapterError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    paths = config.getoption("--pool-json"), config.getoption("--pool-html")
    pool, results = config.getoption("--pool"), config.stash.get(RESULTS, [])
    if pool is None or not results or not any(paths):
        return
    try:
        known = known_deviations(config.getoption("--pool-known"))
        write(Report(subject(pool), results, config.getoption("--pool-seed"), effort(config), known), *paths)
    except AdapterError as error:
        raise pytest.UsageError(str(error)) from error


def effort(config: pytest.Config) -> int:
    """How hard to look."""
    return EXHAUSTIVE if config.getoption("--pool-exhaustive", False) else 1
