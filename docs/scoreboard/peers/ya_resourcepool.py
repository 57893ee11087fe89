"""ya.resourcepool, with the resources that it is given: with alloc it has no limit."""

from ya.resourcepool import ResourcePool, ResourcePoolEmpty

from poolproof.conformance.suite.adapter import Adapter


class make_pool(Adapter):  # noqa: N801
    timeout_error = ResourcePoolEmpty
    lacks = {
        "create": "with alloc there is no limit on what is lent; here it lends what it is given",
        "fifo": "notify_all; no order is promised",
        "abandoned-leases": "resources are handed over as they are",
        "input-validation": "the adapter counts the resources out",
        "lease-identity": "resources are returned by themselves",
    }

    def __init__(self, spec):
        given = list(spec.resources) or [spec.create() for _ in range(spec.max_size)]
        self.pool = ResourcePool(init=given, check=spec.check, dealloc=spec.destroy)
        self.add = self.pool.push

    def acquire(self, timeout):  # None does not wait, and 0 or less waits for ever
        return self.pool.pop(0 if timeout is None else None if timeout == 0 else timeout)

    def release(self, lease):
        self.pool.push(lease)
