"""Raising an exception at the n-th bytecode, or the n-th line, of an operation: for every n."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NamedTuple

import poolproof
from environment import scene, scenes
from environment.scene import Scene
from tracing import run_traced

Grain = Literal["opcode", "line"]
STRUCK = (str(Path(poolproof.__file__).parent), contextlib.__file__, scenes.__file__, scene.__file__)


class Interrupt(BaseException):
    """What a user's Ctrl-C raises, as far as the pool can tell."""


class Surprise(Exception):
    """What a signal handler or another thread may raise that is no cancellation."""


class Place(NamedTuple):
    """Where an exception was raised."""

    function: str
    line: int
    offset: int


class Tracer:
    """Raises *kind* at the *nth* event of a call, once."""

    def __init__(self, kind: type[BaseException], nth: int, grain: Grain) -> None:
        self._kind = kind
        self._left = nth
        self._grain = grain
        self.struck: Place | None = None

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "call":
            if not frame.f_code.co_filename.startswith(STRUCK):
                return None
            frame.f_trace = self  # before the next line: 3.13 looks at it there
            frame.f_trace_opcodes = self._grain == "opcode"
            frame.f_trace_lines = self._grain == "line"
        elif event == self._grain:
            if not self._left:
                self.struck = Place(frame.f_code.co_qualname, frame.f_lineno, frame.f_lasti)
                raise self._kind
            self._left -= 1
        return self


@dataclass(frozen=True, slots=True)
class Harm:
    """What one exception did."""

    place: Place
    found: tuple[str, ...]


def injure(make: Callable[[], Scene], kind: type[BaseException], nth: int, grain: Grain) -> Harm | None:
    """Strike a new scene once, let the dust settle, look. None if the operation ended before."""
    subject = make()
    tracer = Tracer(kind, nth, grain)
    with contextlib.suppress(kind, OSError, KeyboardInterrupt, poolproof.PoolError):
        run_traced(tracer, subject.operation)
    gc.collect()
    subject.pool.maintain()
    found = subject.verdict()
    if tracer.struck is None:
        assert [] == found, "not even without an exception"
        return None
    return Harm(tracer.struck, tuple(found))
