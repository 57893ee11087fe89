"""A web service that keeps notes in SQLite: aiohttp in front, aiosqlite connections in an `AsyncPool` behind.

Run it with ``python notes_service.py notes.db`` and stop it with Ctrl-C: requests under way are answered first, then
the pool closes every connection.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import aiosqlite
from aiohttp import web

from poolproof import AcquireTimeout, AsyncPool

log = logging.getLogger("notes")
Connections = AsyncPool[aiosqlite.Connection]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
POOL = web.AppKey("pool", Connections)


async def connect(path: str) -> aiosqlite.Connection:
    """One connection, ready for use."""
    connection = await aiosqlite.connect(path, timeout=30)
    await connection.execute("PRAGMA journal_mode = WAL")
    await connection.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    await connection.commit()
    return connection


async def is_alive(connection: aiosqlite.Connection) -> bool:
    """Asked before each use; an error says no as well."""
    await connection.execute_fetchall("SELECT 1")
    return True


async def add_note(request: web.Request) -> web.Response:
    """Keep a note, and tell its number once it is safe."""
    text = await request.text()
    async with request.app[POOL].acquire() as connection:
        cursor = await connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
        await connection.commit()
        return web.json_response({"id": cursor.lastrowid})


async def health(request: web.Request) -> web.Response:
    """The counts of the pool, of one moment."""
    stats = request.app[POOL].stats()
    return web.json_response({"live": stats.live, "free": stats.free, "waiting": stats.waiting})


@web.middleware
async def busy(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Too many at once: say so in time, rather than keep the client waiting."""
    try:
        answer: web.StreamResponse = await handler(request)
    except AcquireTimeout as error:
        log.warning("%s", error)
        raise web.HTTPServiceUnavailable from error
    return answer


def make_app(path: str, *, connections: int = 4, patience: float = 10.0) -> web.Application:
    """The service on this database."""

    async def pool(app: web.Application) -> AsyncIterator[None]:
        async with AsyncPool(
            lambda: connect(path),
            check=is_alive,
            reset=aiosqlite.Connection.rollback,
            destroy=aiosqlite.Connection.close,
            min_size=1,
            max_size=connections,
            timeout=patience,
            name="notes",
        ) as opened:
            app[POOL] = opened
            yield
            report = await opened.close(grace=patience)
            log.info("closed: %s, held: %s", report.closed, report.holders)

    app = web.Application(middlewares=[busy])
    app.cleanup_ctx.append(pool)
    app.router.add_post("/notes", add_note)
    app.router.add_get("/health", health)
    return app


async def main(path: str) -> None:
    runner = web.AppRunner(make_app(path))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 8080).start()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
