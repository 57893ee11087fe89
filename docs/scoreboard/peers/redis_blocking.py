"""redis-py's BlockingConnectionPool, without a server. Its timeout is one for all; here it is the caller's."""

import threading

from redis.connection import BlockingConnectionPool
from redis.exceptions import ConnectionError

from peers.connection import Lends, Link


class Pool(BlockingConnectionPool):
    seconds = threading.local()
    timeout = property(lambda self: self.seconds.value, lambda self, value: None)


class make_pool(Lends):  # noqa: N801
    timeout_error = ConnectionError
    lacks = {"fifo": "a condition; no order is promised", "lease-identity": "connections are returned by themselves",
             "abandoned-leases": "connections are handed over as they are"}  # fmt: skip

    def __init__(self, spec):
        made = {"connection_class": Link, "create": spec.create, "destroy": spec.destroy}
        self.pool = Pool(max_connections=spec.max_size, **made)

    def acquire(self, timeout):
        self.pool.seconds.value = timeout
        return self.pool.get_connection()

    def discard(self, lease):
        try:
            lease.disconnect()
        finally:
            self.pool.release(lease)

    def release(self, lease):
        self.pool.release(lease)
