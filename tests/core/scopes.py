"""The scopes in which the core is compared with the model."""

from __future__ import annotations

from typing import NamedTuple

from poolmodel import Config, Domain


class Scope(NamedTuple):
    """A configuration of the model, the numbers that the world outside may come up with, and how many states that
    makes, so that a scope cannot shrink unseen."""

    config: Config
    domain: Domain
    states: int


SCOPES: dict[str, Scope] = {
    "two tickets, one slot": Scope(Config(limit=1), Domain((1, 2), (1,)), 0),
    "two tickets, resize": Scope(Config(limit=1, factory=False), Domain((1, 2), (1, 2)), 0),
}
LARGER: dict[str, Scope] = {}
