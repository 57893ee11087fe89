"""queue.LifoQueue as a pool: what many programs make do with."""

from queue import Empty, Full, LifoQueue

from poolproof.conformance.suite.adapter import Adapter


class make_pool(Adapter):  # noqa: N801
    timeout_error, misuse_error = Empty, Full
    lacks = {
        "create": "it lends what was put into it",
        "fifo": "a condition; no order is promised",
        "abandoned-leases": "items are handed over as they are",
        "input-validation": "the adapter counts the resources out",
        "lease-identity": "items are returned by themselves",
    }

    def __init__(self, spec):
        self.queue = LifoQueue(spec.max_size)
        for resource in list(spec.resources) or [spec.create() for _ in range(spec.max_size)]:
            self.queue.put(resource)

    def acquire(self, timeout):
        return self.queue.get(timeout != 0, timeout)

    def release(self, lease):
        self.queue.put_nowait(lease)
