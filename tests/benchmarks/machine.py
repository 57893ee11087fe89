"""Where and with what it was measured."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import poolproof

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "poolproof", "PyResourcePool", "ya.resourcepool", "ProxyPatternPool", "eventlet", "DBUtils", "psycopg-pool",
    "SQLAlchemy", "generic-connection-pool", "asyncpg", "gevent", "greenlet",
)  # fmt: skip


def here() -> dict[str, Any]:
    """What does not change while the suite runs."""
    return {
        "cpu": _cpu(),
        "cores": _cores(),
        "system": platform.platform(terse=True),
        "python": sys.version.split(" (")[0],
        "build": " ".join(platform.python_build()) + ", " + platform.python_compiler(),
        "gil": has_gil(),
        "compiled": compiled(),
        "switch interval": sys.getswitchinterval(),
        "commit": _commit(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def interpreter() -> str:
    """The name under which this interpreter's results are kept, such as cpython-3.13t."""
    name = f"{sys.implementation.name}-{sys.version_info.major}.{sys.version_info.minor}"
    return name + ("" if has_gil() else "t") + ("-compiled" if compiled() else "")


def has_gil() -> bool:
    """False only while a free-threaded build runs without it."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def compiled() -> bool:
    """Whether the compiled form of poolproof runs."""
    return bool(getattr(poolproof, "compiled", False))


def version(package: str) -> str | None:
    """The installed version; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def now() -> str:
    """The date and time, in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(sep=" ", timespec="seconds")


def load() -> float | None:
    """How many processes wanted a core in the last minute: what else was going on."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=10)
    except OSError:
        return None
    return done.stdout.strip() or None
