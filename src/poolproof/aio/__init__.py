"""The pool for tasks: the same core and the same steps as `poolproof.Pool`, driven by an asyncio event loop.

What is written here is what waits, and nothing else. docs/explanation/asyncio.md puts the two drivers side by side.
"""

from poolproof.aio.acquiring import Acquiring
from poolproof.aio.bridge import PoolInThreads, PoolOfTasks
from poolproof.aio.lease import AsyncLease
from poolproof.aio.pool import AsyncPool

__all__ = ["Acquiring", "AsyncLease", "AsyncPool", "PoolInThreads", "PoolOfTasks"]
