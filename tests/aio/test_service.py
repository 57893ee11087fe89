"""The example service of docs/examples runs, is asked by real clients, and is shut down while they ask: what it has
answered is in the database, and no connection is left open."""

from __future__ import annotations

import asyncio
import importlib.util
import sqlite3
from pathlib import Path
from typing import Any

import pytest

aiohttp = pytest.importorskip("aiohttp")
aiosqlite = pytest.importorskip("aiosqlite")

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "notes_service.py"


def service() -> Any:
    spec = importlib.util.spec_from_file_location("notes_service", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def asked(path: Path, answered: list[int], begun: list[str]) -> Any:
    """Start the service, ask it from many clients, and shut it down under way; its pool."""
    module = service()
    app = module.make_app(str(path), connections=3)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    enough = asyncio.Event()

    async def client(name: int) -> None:
        async with aiohttp.ClientSession() as session:
            for number in range(1000):
                begun.append(f"{name}.{number}")
                try:
                    async with session.post(f"{address}/notes", data=begun[-1]) as answer:
                        assert 200 == answer.status
                        answered.append((await answer.json())["id"])
                except aiohttp.ClientError:  # the service has shut down
                    return
                if len(answered) > 60:
                    enough.set()

    clients = [asyncio.create_task(client(name)) for name in range(8)]
    async with asyncio.timeout(60):
        await enough.wait()
        pool = app[module.POOL]
        assert 3 >= pool.stats().live
        await runner.cleanup()
        await asyncio.gather(*clients)
    return pool


@pytest.mark.clause("CLOSE-TERMINATES", "CONSERVATION", "DESTROY-ONCE")
def test_service_shuts_down_under_load_and_loses_nothing(tmp_path: Path) -> None:
    answered, begun = list[int](), list[str]()
    pool = asyncio.run(asked(tmp_path / "notes.db", answered, begun))
    stats = pool.stats()
    assert ("closed", 0) == (stats.phase, stats.live)
    assert stats.created == stats.destroyed
    connection = sqlite3.connect(tmp_path / "notes.db")
    kept = {number for (number,) in connection.execute("SELECT id FROM notes")}
    connection.close()
    assert set() == set(answered) - kept
    assert len(answered) == len(set(answered))
    assert len(kept) <= len(begun)
