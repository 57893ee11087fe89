"""What happens to the pool during the demo, and the run as a whole."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from poolproof import CheckFailed, CloseReport, Pool
from poolproof.demo.bank import CannotConnect, Connection, ConnectionBroken, Oracle, Server, open_bank
from poolproof.demo.display import Display, Picture
from poolproof.demo.tellers import Teller
from poolproof.replay import Recorder

MIN_SIZE = 2
GRACE = 10.0
FRAMES_PER_SECOND = 10


class Scene(NamedTuple):
    """Something that is done to the pool, at a fraction of the time."""

    at: float
    says: str
    action: Callable[[], object]


class Log(logging.Handler):
    """Takes what the pool logs, failed creates above all, which would otherwise be written across the display."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def __enter__(self) -> None:
        logger = logging.getLogger("poolproof")
        self.propagated, logger.propagate = logger.propagate, False
        logger.addHandler(self)

    def __exit__(self, *_: object) -> None:
        logger = logging.getLogger("poolproof")
        logger.removeHandler(self)
        logger.propagate = self.propagated


class Run:
    """The bank, its pool and its tellers."""

    def __init__(self, path: Path, seconds: float, threads: int, seed: int) -> None:
        open_bank(path)
        self.path, self.seconds = path, seconds
        self.oracle = Oracle()
        self.server = Server(path, self.oracle, seed)
        self.recorder = Recorder()
        self.limit = max(MIN_SIZE, threads // 2)
        self.pool: Pool[Connection] = Pool(
            self.server.connect,
            resources=[Connection(path, self.oracle)],
            destroy=Connection.close,
            check=Connection.works,
            reset=Connection.reset,
            max_size=self.limit,
            min_size=MIN_SIZE,
            max_uses=100,
            discard_on=[ConnectionBroken, KeyboardInterrupt, SystemExit],
            housekeeping=min(0.5, seconds / 10),
            retry_delay=0.1,
            name="bank",
            observer=self.recorder,
        )
        self.server.flaky = True
        self.tellers = [Teller(number, self.pool, seed) for number in range(1, threads + 1)]
        self.report: CloseReport | None = None
        self.failure: BaseException | None = None
        self.happened: list[tuple[float, str]] = []
        self.stop = threading.Event()
        self.log = Log()
        self.began = time.monotonic()

    def scenes(self) -> list[Scene]:
        down, up = max(MIN_SIZE, self.limit // 2), len(self.tellers) + 2
        resize = self.pool.resize
        return [
            Scene(0.00, f"{len(self.tellers)} tellers begin; at most {self.limit} connections", self.start),
            Scene(0.16, f"resize down to {down}: surplus connections leave when they come back", lambda: resize(down)),
            Scene(0.32, "expire_all: every connection is replaced", self.pool.expire_all),
            Scene(0.46, f"resize up to {up}: every waiting teller builds at once", lambda: resize(up)),
            Scene(0.60, "detach: one connection is kept by its holder for good", self.detach_one),
            Scene(0.72, f"resize back to {self.limit}", lambda: resize(self.limit)),
            Scene(0.90, "close, in the middle of the traffic, with grace", self.close),
        ]

    def play(self, display: Display) -> bool:
        """Run until the bank is closed; whether it was interrupted. No thread of the demo is left then."""
        director = threading.Thread(target=self.direct, name="director")
        with self.log:
            return self.watch(director, display)

    def watch(self, director: threading.Thread, display: Display) -> bool:
        interrupted = False
        self.began = time.monotonic()
        director.start()
        while director.is_alive():
            try:
                display.show(self.picture())
                director.join(1 / FRAMES_PER_SECOND)
            except KeyboardInterrupt:
                interrupted = True
                self.stop.set()
        self.join_all()
        display.show(self.picture())
        return interrupted

    def picture(self) -> Picture:
        """How things stand; its counts go into the record, to be compared with the model's."""
        stats = self.pool.stats()
        self.recorder.note(stats)
        events, logged = len(self.recorder), len(self.log.records)
        return Picture(self.clock(), self.seconds, stats, self.tally(), events, logged, self.happened)

    def direct(self) -> None:
        """Play the scenes, each at its time; the last at once when the run is to stop."""
        try:
            *scenes, last = self.scenes()
            for scene in scenes:
                if not self.stop.wait(max(0.0, scene.at * self.seconds - self.clock())):
                    self.do(scene)
            self.stop.wait(max(0.0, last.at * self.seconds - self.clock()))
            self.do(last)
        except BaseException as error:
            self.failure = error
            self.pool.close(grace=GRACE)

    def do(self, scene: Scene) -> None:
        self.happened.append((self.clock(), scene.says))
        scene.action()

    def start(self) -> None:
        for teller in self.tellers:
            teller.start()

    def detach_one(self) -> None:
        while True:
            try:
                lease = self.pool.acquire(timeout=GRACE)
            except (CannotConnect, CheckFailed):  # it may have had to build one
                continue
            lease.detach().close()
            return

    def close(self) -> None:
        self.report = self.pool.close(grace=GRACE)
        self.happened.append((self.clock(), f"closed: {self.report.refused} waiting tellers were refused"))

    def join_all(self) -> None:
        """Wait for every thread that uses the pool, so that its last commit has been told."""
        helpers = [thread for thread in threading.enumerate() if thread.name == "housekeeping of bank"]
        for thread in [*(teller for teller in self.tellers if teller.ident is not None), *helpers]:
            thread.join()

    def clock(self) -> float:
        return time.monotonic() - self.began

    def tally(self) -> Counter[str]:
        return sum((teller.tally.copy() for teller in self.tellers), Counter[str]())
