"""The suite for the pool that ``--pool`` names: ``pytest --pyargs poolproof.conformance -m stateful --pool …``."""

from __future__ import annotations

import pytest

from poolproof.conformance.suite.adapter import Subject
from poolproof.conformance.suite.testing import PoolConformance, checked


class TestPool(PoolConformance):
    """Whatever --pool makes."""

    named = True  # the plugin sees to it that --pool names one

    @pytest.fixture
    def conformance_subject(self, request: pytest.FixtureRequest) -> Subject:
        return checked(request.config.getoption("--pool"))
