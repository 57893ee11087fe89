"""The exceptions, by the names that they have there."""

from __future__ import annotations


class PPPException(Exception):
    """The base of them all."""


class PoolException(PPPException):
    """A pool cannot do that."""


class TimeOut(PoolException):
    """Nothing was to be had in time."""


class ProxyException(PPPException):
    """A proxy cannot do that."""
