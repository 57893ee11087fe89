"""The conformance suite on the pools that keep every promise they make: poolproof's, and one on a page."""

from __future__ import annotations

from conformance.plain import Plain
from poolproof.conformance import PoolConformance
from poolproof.conformance.suite.own import Own


class TestPoolproof(PoolConformance):
    """`poolproof.Pool`."""

    make_pool = Own


class TestPlain(PoolConformance):
    """A correct pool that was written differently."""

    make_pool = Plain
