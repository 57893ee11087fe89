"""eventlet.pools: for green threads of one hub. Every call is carried out by a green thread there."""

from functools import partial

import eventlet
from eventlet import tpool
from eventlet.pools import Pool

from peers.hub import call
from poolproof.conformance.suite.adapter import Adapter


class make_pool(Adapter):  # noqa: N801
    lacks = {
        "abandoned-leases": "items are handed over as they are",
        "lease-identity": "items are returned by themselves",
        "fifo": "waiters are kept in a set; no order is promised",
        "timeout-validation": "the timeout is that of eventlet.Timeout",
    } | dict.fromkeys(
        ("signals", "gc", "async-exceptions", "fork", "reentrant-callbacks"), "it lives in a single thread"
    )

    def __init__(self, spec):
        create = partial(tpool.execute, spec.create)  # so that the hub goes on meanwhile, as with a green create
        self.pool = call(lambda: Pool(max_size=spec.max_size, min_size=spec.min_size or 0, create=create))

    def acquire(self, timeout):
        def get():
            with eventlet.Timeout(timeout, TimeoutError):
                return self.pool.get()

        return call(get)

    def release(self, lease):
        call(self.pool.put, lease)

    def resize(self, limit):
        call(self.pool.resize, limit)
