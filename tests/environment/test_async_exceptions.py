"""An exception at every single point of every operation loses no slot.

Python's tracing raises it, which is harder than anything that CPython does: it also strikes between two bytecodes
where no signal, no other thread and no finalizer could, and inside the commit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

import pytest

from environment import scenes
from environment.injection import Grain, Interrupt, Surprise, Tracer, injure
from environment.rig import at_rest, elsewhere, quiet_surroundings
from environment.scene import Scene
from poolproof.waiting import Waiter
from tracing import run_traced

# The functions in which a slot can be lost for good, and why that cannot be helped. None, where references are
# counted: then maintain sees that nobody is left who could give the slot back.
COUNTED = hasattr(sys, "getrefcount") and getattr(sys, "_is_gil_enabled", lambda: True)()
WINDOWS: dict[str, str] = {} if COUNTED else {
    "Lease.__del__": "a finalizer is called once; what strikes before its first try keeps it from doing anything",
    "Lease._collected": "the same, one call deeper",
}  # fmt: skip
SHORT = [
    scenes.acquire_free, scenes.acquire_free_fifo, scenes.acquire_free_observed, scenes.acquire_checked,
    scenes.release_quiet, scenes.release_quiet_fifo, scenes.release_handed_off, scenes.with_block, scenes.detach,
]  # fmt: skip
EVERY_POINT = [pytest.param(Interrupt, id="cancellation"), pytest.param(Surprise, id="error")]


def lost(make: Callable[[], Scene], kind: type[BaseException], grain: Grain, stride: int = 1) -> list[str]:
    """What an exception breaks at the points 0, *stride*, 2 × *stride*, … of an operation, but for the windows."""
    broken = []
    with quiet_surroundings() as unraisable:
        for nth in count(0, stride):
            harm = injure(make, kind, nth, grain)
            if harm is None:
                break
            if harm.found:
                broken.append(f"{harm.place}: {'; '.join(harm.found)}")
        assert nth > 0, "nothing was struck"
        assert [] == [repr(error) for error in unraisable if not isinstance(error, kind)]
    return broken


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "DESTROY-ONCE", "CONSERVATION", "DUTY-OWNED")
@pytest.mark.parametrize("kind", EVERY_POINT)
@pytest.mark.parametrize("make", SHORT)
def test_exception_at_any_bytecode_loses_nothing(make: Callable[[], Scene], kind: type[BaseException]) -> None:
    assert [] == lost(make, kind, "opcode")


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "DESTROY-ONCE", "CONSERVATION", "DUTY-OWNED")
@pytest.mark.parametrize("kind", EVERY_POINT)
@pytest.mark.parametrize("make", scenes.ALL)
def test_exception_at_any_line_loses_nothing(make: Callable[[], Scene], kind: type[BaseException]) -> None:
    assert [] == lost(make, kind, "line")


@pytest.mark.exhaustive
@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "DESTROY-ONCE", "CONSERVATION", "DUTY-OWNED")
@pytest.mark.parametrize("kind", EVERY_POINT)
@pytest.mark.parametrize("make", [make for make in scenes.ALL if make not in SHORT])
def test_exception_at_any_bytecode_of_a_long_operation_loses_nothing(
    make: Callable[[], Scene], kind: type[BaseException]
) -> None:
    assert [] == lost(make, kind, "opcode")


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE")
@pytest.mark.parametrize("make", scenes.COLLECTED)
def test_exception_in_a_finalizer_is_lost_only_in_the_windows(make: Callable[[], Scene]) -> None:
    struck: set[str] = set()
    with quiet_surroundings():
        for nth in count():
            harm = injure(make, Interrupt, nth, "opcode")
            if harm is None:
                break
            if harm.found:
                struck.add(harm.place.function)
    assert set(WINDOWS) == struck


class AfterCancel(Tracer):
    """Strikes not before a waiter cleans up after a first exception."""

    armed = False

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        self.armed = self.armed or frame.f_code is Waiter.cancel.__code__
        return super().__call__(frame, event, arg) if self.armed else None


def waiting(scene: Scene) -> None:
    """Nothing has happened to the ticket yet."""


def granted(scene: Scene) -> None:
    elsewhere(scene.held[0].release)


def building(scene: Scene) -> None:
    elsewhere(scene.held[0].discard)


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "CANCELLATION-SURVIVES", "COUNTS-RECOUNT")
@pytest.mark.parametrize("become", [waiting, granted, building])
def test_an_acquire_interrupted_twice_leaves_no_trace(become: Callable[[Scene], object]) -> None:
    """The first exception ends its sleep; the second strikes the cleaning up, at each of its bytecodes."""

    def strike() -> None:
        scene.runtime.before_park = lambda: None
        become(scene)
        raise Interrupt

    with quiet_surroundings() as unraisable:
        for nth in count():
            scene = Scene(given=1, builds=True, max_size=1)
            scene.hold()
            scene.runtime.before_park = strike
            tracer = AfterCancel(Interrupt, nth, "opcode")
            with pytest.raises(Interrupt):
                run_traced(tracer, lambda scene=scene: scene.pool.acquire(None))  # type: ignore[misc]
            assert [] == at_rest(scene.pool, sum(lease.held for lease in scene.held)), tracer.struck
            scene.release_all()
            if tracer.struck is None:
                break
    assert nth > 50
    assert [] == [error for error in unraisable if not isinstance(error, Interrupt)]
