"""Run as a program, in the directory that has eventlet's package ``tests``: run one module of it.

Arguments: "facade" to put poolproof.compat.eventlet_pools in the place of eventlet.pools, or "original";
"pools_test" or "db_pool_test". Prints one JSON object: what each test came to. The tests of eventlet.db_pool need a
database server; they are given sqlite.
"""

from __future__ import annotations

import importlib
import json
import os
import sqlite3
import sys
import tempfile
import unittest
import warnings
from types import FunctionType
from typing import Any


class Outcomes(unittest.TestResult):
    """What each test came to."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, str] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self.told[test.id()] = "passed"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.told[test.id()] = f"failed: {err[1]!r}"

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.told[test.id()] = f"failed: {err[1]!r}"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.told[test.id()] = "skipped"


class Sqlite:
    """What eventlet's tests want to know of a database."""

    _dbmodule = sqlite3
    dummy_table_sql = "CREATE TEMPORARY TABLE test_table (row_id INTEGER PRIMARY KEY, value_int INTEGER)"

    def create_db(self) -> None:
        file, name = tempfile.mkstemp()
        os.close(file)
        self._auth = {"database": name, "check_same_thread": False, "timeout": 0.1}

    def drop_db(self) -> None:
        os.unlink(str(self._auth["database"]))  # noqa: PTH108


def swap() -> None:
    facade = importlib.import_module("poolproof.compat.eventlet_pools")
    original = importlib.import_module("eventlet.pools")
    assert set(original.__all__) == set(facade.__all__)
    package: Any = importlib.import_module("eventlet")
    sys.modules["eventlet.pools"] = package.pools = facade


def suite(name: str) -> unittest.TestSuite:
    module: Any = importlib.import_module(f"tests.{name}")
    if name == "pools_test":
        return unittest.defaultTestLoader.loadTestsFromModule(module)
    limited = importlib.import_module("tests").LimitedTestCase
    found = unittest.TestSuite(
        unittest.defaultTestLoader.loadTestsFromTestCase(type(f"Sqlite{base.__name__}", (Sqlite, base, limited), {}))
        for base in (module.RawConnectionPool, module.TpoolConnectionPool)
    )
    for each in vars(module).values():
        if isinstance(each, FunctionType) and each.__name__.startswith("test_"):
            found.addTest(unittest.FunctionTestCase(each))
    return found


def main(pools: str, name: str) -> None:
    sys.path.insert(0, ".")
    if pools == "facade":
        swap()
    outcomes = Outcomes()
    suite(name).run(outcomes)
    print(json.dumps(outcomes.told))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
