"""The situations and operations that are the subjects of exhaustive injection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from environment.rig import Thing, elsewhere
from environment.scene import Scene

# Acquire


def acquire_free() -> Scene:
    return Scene(given=2)


def acquire_free_fifo() -> Scene:
    return Scene(given=3, order="fifo")


def acquire_free_observed() -> Scene:
    return Scene(given=1, observer=lambda event: None)


def acquire_raced() -> Scene:
    scene = Scene(given=2)
    scene.race()
    return scene


def acquire_built_raced() -> Scene:
    scene = Scene(given=1, builds=True, max_size=2)
    lease = scene.pool.acquire(0)

    def interfere() -> None:
        scene.runtime.at_clock = lambda: None
        elsewhere(lease.release)

    scene.runtime.at_clock = interfere
    return scene


def acquire_built() -> Scene:
    return Scene(builds=True, max_size=1)


def acquire_built_observed() -> Scene:
    return Scene(builds=True, max_size=1, observer=lambda event: None)


def acquire_checked() -> Scene:
    return Scene(given=1, check=lambda thing: True)


def acquire_check_failed() -> Scene:
    return Scene(given=1, builds=True, max_size=2, check=lambda thing: thing.number > 0)


def acquire_unfit() -> Scene:
    scene = Scene(given=2, builds=True, max_size=2, max_idle=1.0)
    scene.runtime.now = 10.0
    return scene


def acquire_create_failed() -> Scene:
    def create() -> Thing:
        if scene.failing:
            raise OSError("no connection")
        return scene.maker.create()

    scene = Scene(create=create, max_size=1)
    scene.failing = True
    return scene


def acquire_handed_off() -> Scene:
    """It has to wait, and gets what another thread releases."""
    scene = Scene(given=1)
    [lease] = scene.hold()

    def release_once() -> None:
        scene.runtime.before_park = lambda: None
        elsewhere(lease.release)

    scene.runtime.before_park = release_once
    scene.operation = lambda: scene.acquire(None)
    return scene


def acquire_handed_off_meanwhile() -> Scene:
    """What it waits for was released between its look and its sleep, and another builds for it in vain."""
    scene = Scene(builds=True, max_size=2)
    [lease] = scene.hold()
    create = scene.maker.create

    def create_late() -> Thing:
        if lease.held:
            elsewhere(lease.release)
        return create()

    scene.maker.create = create_late  # type: ignore[method-assign]
    return scene


def acquire_timed_out() -> Scene:
    scene = Scene(given=1)
    scene.hold()
    scene.operation = lambda: scene.acquire(5.0)
    return scene


def acquire_refused() -> Scene:
    scene = Scene(given=1)
    scene.hold()
    return scene


# The end of a lease


def release_quiet() -> Scene:
    scene = Scene(given=2)
    scene.operation = scene.hold()[0].release
    return scene


def release_quiet_fifo() -> Scene:
    scene = Scene(given=2, order="fifo")
    scene.operation = scene.hold()[0].release
    return scene


def release_raced() -> Scene:
    scene = Scene(given=2)
    scene.operation = scene.hold()[0].release
    scene.race()
    return scene


def discard_raced() -> Scene:
    scene = Scene(given=2)
    scene.operation = scene.hold()[0].discard
    scene.race()
    return scene


def release_handed_off() -> Scene:
    scene = Scene(given=1)
    [lease] = scene.hold()
    scene.wait()
    scene.operation = lease.release
    return scene


def release_reset() -> Scene:
    scene = Scene(given=1, reset=lambda thing: None)
    scene.operation = scene.hold()[0].release
    return scene


def release_reset_handed_off() -> Scene:
    scene = Scene(given=1, builds=True, max_size=1, reset=lambda thing: None, observer=lambda event: None)
    [lease] = scene.hold()
    scene.wait()
    scene.operation = lease.release
    return scene


def release_worn() -> Scene:
    scene = Scene(given=1, builds=True, max_size=1, max_uses=1)
    scene.operation = scene.hold()[0].release
    return scene


def release_worn_handed_off() -> Scene:
    scene = Scene(given=1, builds=True, max_size=1, max_uses=1)
    [lease] = scene.hold()
    scene.wait()
    scene.operation = lease.release
    return scene


def release_closing() -> Scene:
    scene = Scene(given=1)
    [lease] = scene.hold()
    scene.pool.close()
    scene.operation = lease.release
    return scene


def release_surplus() -> Scene:
    scene = Scene(builds=True, max_size=2)
    lease, _ = scene.hold(2)
    scene.pool.resize(1)
    scene.operation = lease.release
    return scene


def release_beyond_retention() -> Scene:
    scene = Scene(given=2, max_free=1, shrink_to=0)
    first, second = scene.hold(2)
    first.release()
    scene.operation = second.release
    return scene


def discard() -> Scene:
    scene = Scene(given=1, builds=True, max_size=1)
    scene.operation = scene.hold()[0].discard
    return scene


def discard_handed_on() -> Scene:
    scene = Scene(given=1, builds=True, max_size=1)
    [lease] = scene.hold()
    scene.wait()
    scene.operation = lease.discard
    return scene


def detach() -> Scene:
    scene = Scene(given=1, builds=True, max_size=1)
    scene.operation = scene.hold()[0].detach
    return scene


def detach_handed_on() -> Scene:
    scene = Scene(given=1, builds=True, max_size=1)
    [lease] = scene.hold()
    scene.wait()
    scene.operation = lease.detach
    return scene


def with_block() -> Scene:
    def operation() -> None:
        with scene.pool.acquire(0) as thing:
            assert not thing.destroyed

    scene = Scene(given=1)
    scene.operation = operation
    return scene


def with_block_failed() -> Scene:
    def operation() -> None:
        with scene.pool.acquire(0):
            raise OSError("connection lost")

    scene = Scene(given=1)
    scene.operation = operation
    return scene


def with_block_cancelled() -> Scene:
    def operation() -> None:
        with scene.pool.acquire(0):
            raise KeyboardInterrupt

    scene = Scene(given=1, builds=True, max_size=1)
    scene.operation = operation
    return scene


# The pool as a whole


def close_free_and_held() -> Scene:
    scene = Scene(given=3)
    scene.hold()
    scene.operation = scene.pool.close
    return scene


def close_waited_for() -> Scene:
    scene = Scene(given=1)
    scene.hold()
    scene.wait()
    scene.operation = scene.pool.close
    return scene


def close_forced() -> Scene:
    scene = Scene(given=2)
    scene.hold(2)
    scene.operation = lambda: scene.pool.close(force=True)
    return scene


def resize_down() -> Scene:
    scene = Scene(given=3)
    scene.hold()
    scene.operation = lambda: scene.pool.resize(1)
    return scene


def resize_up() -> Scene:
    scene = Scene(builds=True, max_size=1)
    scene.hold()
    scene.wait(2)
    scene.operation = lambda: scene.pool.resize(3)
    return scene


def maintain_expiry() -> Scene:
    scene = Scene(given=2, builds=True, max_size=3, max_age=5.0, min_size=1)
    scene.runtime.now = 10.0
    scene.operation = scene.pool.maintain
    return scene


def maintain_inspection() -> Scene:
    scene = Scene(given=2, check=lambda thing: thing.number > 0)
    scene.operation = scene.pool.maintain
    return scene


def maintain_revoking() -> Scene:
    scene = Scene(given=1, max_lease=1.0, revoke_overdue=True)
    scene.hold()
    scene.runtime.now = 10.0
    scene.operation = scene.pool.maintain
    return scene


def maintain_refill() -> Scene:
    scene = Scene(builds=True, min_size=1, max_size=1)
    scene.hold()[0].detach()
    scene.operation = scene.pool.maintain
    return scene


def add() -> Scene:
    scene = Scene(given=1, max_size=2)
    thing = scene.maker.create()
    scene.outside.append(thing)
    scene.operation = lambda: scene.pool.add(thing)
    return scene


def remove() -> Scene:
    scene = Scene(given=2)
    thing = scene.maker.things[0]
    scene.operation = lambda: scene.pool.remove(thing)
    return scene


def expire_all() -> Scene:
    scene = Scene(given=2, builds=True, max_size=2)
    scene.hold()
    scene.operation = scene.pool.expire_all
    return scene


ALL: list[Callable[[], Scene]] = [
    acquire_free, acquire_free_fifo, acquire_free_observed, acquire_raced, acquire_built_raced, acquire_built,
    acquire_built_observed, acquire_checked, acquire_check_failed, acquire_unfit, acquire_create_failed,
    acquire_handed_off, acquire_handed_off_meanwhile, acquire_timed_out, acquire_refused, release_raced,
    discard_raced, release_quiet, release_quiet_fifo, release_handed_off, release_reset, release_reset_handed_off,
    release_worn, release_worn_handed_off, release_closing, release_surplus, release_beyond_retention, discard,
    discard_handed_on, detach, detach_handed_on, with_block, with_block_failed, with_block_cancelled,
    close_free_and_held, close_waited_for, close_forced, resize_down, resize_up, maintain_expiry,
    maintain_inspection, maintain_revoking, maintain_refill, add, remove, expire_all,
]  # fmt: skip


# The collection of a lease


def collected(**options: Any) -> Scene:
    """A lease loses its last reference without having been ended."""
    scene = Scene(given=1, **options)
    scene.hold()
    scene.operation = scene.held.clear
    return scene


def collected_quiet() -> Scene:
    return collected()


def collected_reset() -> Scene:
    return collected(reset=lambda thing: None)


COLLECTED: list[Callable[[], Scene]] = [collected_quiet, collected_reset]
