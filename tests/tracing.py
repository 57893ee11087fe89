"""Running something under a trace function that looks at every bytecode."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def run_traced(trace: Callable[[FrameType, str, Any], Any], operation: Callable[[], object]) -> None:
    """Run *operation*, with *trace* told of what happens in it, and whoever traced before afterwards."""
    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # 3.12 looks for it in settrace
    sys.settrace(trace)
    try:
        operation()
    finally:
        sys.settrace(before)
