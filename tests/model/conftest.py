"""Every scope is explored once for all tests of the model."""

from __future__ import annotations

import pytest

from model.recording import Explored, Record
from poolmodel.configurations import SCOPES
from poolmodel.explore import explore


@pytest.fixture(scope="session")
def explored() -> Explored:
    """All scopes, judged in every state and on every edge, with what was recorded on the way."""
    record = Record()
    rows = record.rows()
    return Explored({name: explore(scope, rows) for name, scope in SCOPES.items()}, record)
