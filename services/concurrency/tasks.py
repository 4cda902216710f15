"""Tasks that run until they are stopped."""

import asyncio
from contextlib import suppress


async def end(task: "asyncio.Task[None] | None") -> None:
    """Cancel a task and wait until it has ended; nothing for None. Raises what it failed with before."""
    if task is None:
        return
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
