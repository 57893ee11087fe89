"""Connectives for truths and numbers that are either known or z3's expressions."""

from __future__ import annotations

from typing import Any

import z3

Truth = Any
Number = Any


def both(*parts: Truth) -> Truth:
    """All of *parts* are true."""
    return all(parts) if _known(parts) else z3.And(*parts)


def either(*parts: Truth) -> Truth:
    """One of *parts* is true."""
    return any(parts) if _known(parts) else z3.Or(*parts)


def opposite(part: Truth) -> Truth:
    """*part* is false."""
    return not part if _known((part,)) else z3.Not(part)


def implies(when: Truth, then: Truth) -> Truth:
    """*then* is true if *when* is."""
    return either(opposite(when), then)


def where(when: Truth, this: Number, that: Number) -> Number:
    """*this* if *when* is true, else *that*."""
    if _known((when,)):
        return this if when else that
    return z3.If(when, this, that)


def _known(parts: tuple[Truth, ...]) -> bool:
    return not any(isinstance(part, z3.BoolRef) for part in parts)
