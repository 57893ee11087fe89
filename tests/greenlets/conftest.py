"""Every test of greenlets runs on eventlet and on gevent."""

from __future__ import annotations

import pytest

from greenlets.hubs import HUBS, Hub


@pytest.fixture(params=HUBS, ids=lambda hub: hub.name)
def hub(request: pytest.FixtureRequest) -> Hub:
    found: Hub = request.param
    return found
