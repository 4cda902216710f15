"""A call that ends in time whatever it does with its cancellation."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")

_running: set[asyncio.Task[object]] = set()


async def within_deadline(call: Coroutine[object, object, T], seconds: float) -> T:
    """Return the call's result, or raise `TimeoutError` after so many seconds.

    The call runs as a task of its own. Up to Python 3.11 `asyncio.wait_for`, which redis-py uses for every command,
    can swallow a cancellation: neither a deadline nor our own caller's cancellation may depend on it.
    """
    task = asyncio.create_task(call)
    _running.add(task)
    task.add_done_callback(_ended)
    try:
        await asyncio.wait([task], timeout=seconds)
        if not task.done():
            raise TimeoutError(f"no answer within {seconds:g} s")
        return task.result()
    finally:
        task.cancel()


def _ended(task: asyncio.Task[object]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # whoever still waits receives it
