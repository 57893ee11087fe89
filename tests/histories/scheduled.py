"""The shipped pool under the deterministic scheduler, recorded: the history of every schedule of a small program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from poolmodel.state import Config
from poolproof.conformance.crew import DONE
from poolproof.conformance.history import History, Recorder
from poolproof.conformance.points import ScheduledParker, ScheduledRuntime
from poolproof.conformance.programs import Program
from poolproof.conformance.runs import RUN_ON, abandon
from poolproof.conformance.scene import Scene, Thing
from poolproof.conformance.search import Explorer


class RecordedScene(Scene):
    """A scene whose clients, callbacks and sleepers are noted."""

    def __init__(self, program: Program, **more: Any) -> None:
        self.recorder = Recorder()
        super().__init__(program, **more)

    @property
    def runtime_type(self) -> Any:  # type: ignore[override, unused-ignore]
        """A runtime whose sleepers tell the recorder of the moment."""
        scene = self

        class Parker(ScheduledParker):
            __slots__ = ()

            def park(self, timeout: float | None) -> bool:
                if not self.token and (timeout is None or timeout > 0):
                    scene.recorder.waits()
                return super().park(timeout)

        class Runtime(ScheduledRuntime):
            parker_type = Parker

        return Runtime

    def _begin(self) -> None:
        super()._begin()
        self.recorder = Recorder()
        recorded = self.recorder.watch(self.pool, tuple(self.given))
        for client in self.clients:
            client.pool = recorded  # type: ignore[assignment]

    def create(self) -> Thing:
        return self.recorder.creates(super().create)()

    def destroy(self, thing: Thing) -> None:
        self.recorder.destroys(super().destroy)(thing)

    def reset(self, thing: Thing) -> None:
        self.recorder.resets(super().reset)(thing)

    def check(self, thing: Thing) -> bool:
        return bool(self.recorder.checks(super().check)(thing))

    def _reenter(self) -> None:
        """Callbacks that call the pool are another test's."""

    def config(self) -> Config:
        options = self.options
        order: Literal["lifo", "fifo"] = "fifo" if options.fifo else "lifo"
        return Config(
            options.size, bool(options.factory), options.min, bool(options.reset), False, bool(options.check),
            None if options.waiting < 0 else options.waiting, "raise" if options.empty else "wait", order,
        )  # fmt: skip


def histories(program: str, bound: int | None, most: int) -> Iterator[History]:
    """One history for each schedule with at most *bound* preemptions.

    Raises:
        AssertionError: there are more than *most*.
    """
    scene = RecordedScene(Program.parse(program))
    explorer = Explorer(scene, bound, merge=False)
    scene.on_begin = explorer.began
    for _ in range(most):
        explorer.begin()
        scene.crew.start([client.run for client in scene.clients], explorer)
        assert not scene.crew.free_running, "a run had no end"
        yield scene.recorder.history(scene.config())
        scene.crew.policy = RUN_ON
        clean = all(worker.status == DONE for worker in scene.crew.workers) and not scene.unended()
        if clean:
            scene.again()
        else:
            abandon(scene)
        if not explorer.advance():
            scene.crew.dismiss()
            return
    raise AssertionError(f"more than {most} schedules")
