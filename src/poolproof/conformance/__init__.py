"""The conformance suite: what a pool must do, as checks that any pool can be put to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poolproof.conformance.suite.adapter import Adapter, AdapterError, PoolSpec

if TYPE_CHECKING:
    from poolproof.conformance.suite.testing import PoolConformance

__all__ = ["Adapter", "AdapterError", "PoolConformance", "PoolSpec"]


def __getattr__(name: str) -> Any:
    """The base class for tests, which needs pytest, only when it is asked for."""
    if name == "PoolConformance":
        from poolproof.conformance.suite.testing import PoolConformance

        return PoolConformance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
