"""generic-connection-pool, its threads' half, with one endpoint."""

from generic_connection_pool.exceptions import ConnectionPoolClosedError
from generic_connection_pool.threading import BaseConnectionManager, ConnectionPool

from poolproof.conformance.suite.adapter import Adapter


class Manager(BaseConnectionManager):
    def __init__(self, spec):
        create, destroy, check = spec.create, spec.destroy, spec.check
        self.create = lambda endpoint, timeout=None: create()
        self.dispose = self.on_connection_dead = lambda endpoint, resource, timeout=None: destroy and destroy(resource)
        self.check_aliveness = lambda endpoint, resource, timeout=None: not check or check(resource)

    create = dispose = None


class make_pool(Adapter):  # noqa: N801
    closed_error, misuse_error = ConnectionPoolClosedError, (RuntimeError, AssertionError)
    lacks = {"fifo": "a condition; no order is promised", "lease-identity": "resources are returned by themselves",
             "abandoned-leases": "resources are handed over as they are",
             "odd-resources": "resources must be hashable"}  # fmt: skip

    def __init__(self, spec):
        size = spec.max_size
        self.pool = ConnectionPool(Manager(spec), min_idle=size, max_size=size, total_max_size=size)
        self.close = self.pool.close

    def acquire(self, timeout):
        return self.pool.acquire("the endpoint", timeout)

    def release(self, lease):
        self.pool.release(lease, "the endpoint")
