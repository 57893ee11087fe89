"""pyresourcepool: a fixed list of objects, lent in turn."""

from contextlib import suppress

from pyresourcepool.pyresourcepool import AllResourcesRemoved, ObjectNotInPool, ResourcePool

from poolproof.conformance.suite.adapter import Adapter


class make_pool(Adapter):  # noqa: N801
    misuse_error = ObjectNotInPool
    lacks = {
        "create": "it lends the objects that it is given",
        "timeouts": "there is none; a caller waits for ever, or not at all",
        "fifo": "waiters poll every 0.1 s; no order is promised",
        "abandoned-leases": "objects are handed over as they are",
        "input-validation": "the adapter counts the resources out",
        "lease-identity": "objects are returned by themselves",
    }

    def __init__(self, spec):
        self.pool = ResourcePool(list(spec.resources) or [spec.create() for _ in range(spec.max_size)])
        self.add = self.pool.add

    def acquire(self, timeout):
        return self.pool.get_resource_unmanaged()

    def remove(self, resource):
        with suppress(AllResourcesRemoved):  # to remove the last one is allowed, and raises
            self.pool.remove(resource)

    def release(self, lease):
        self.pool.return_resource(lease)
