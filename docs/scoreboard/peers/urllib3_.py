"""urllib3's connection pool, blocking, with connections to nowhere. They are opened as urlopen does it."""

import functools

from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ClosedPoolError, EmptyPoolError, FullPoolError

from peers.connection import Lends, Link, opened


class make_pool(Lends):  # noqa: N801
    timeout_error, closed_error, misuse_error = EmptyPoolError, ClosedPoolError, FullPoolError
    lacks = {"fifo": "a condition; no order is promised", "lease-identity": "connections are returned by themselves",
             "abandoned-leases": "connections are handed over as they are"}  # fmt: skip

    def __init__(self, spec):
        self.pool = HTTPConnectionPool("nowhere", maxsize=spec.max_size, block=True)
        self.pool.ConnectionCls = functools.partial(Link, spec.create, spec.destroy)
        self.close = self.pool.close

    def acquire(self, timeout):
        return opened(self.pool._get_conn(timeout), self.discard)

    def discard(self, lease):
        try:
            lease.close()
        finally:
            self.pool._put_conn(None)

    def release(self, lease):
        self.pool._put_conn(lease)
