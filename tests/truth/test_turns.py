"""Plain functions in a loop: one runs at a time, and what they wait for is the loop's."""

import asyncio
import threading
from contextlib import nullcontext

import anyio.to_thread
import pytest

from truth.turns import Turns


async def answer(text: str) -> str:
    await asyncio.sleep(0)
    return text


def test_a_function_is_given_what_the_loop_has_awaited() -> None:
    turns = Turns(nullcontext)

    def ask() -> str:
        return turns.wait_for(answer("one")) + turns.wait_for(answer("two"))

    assert asyncio.run(turns.run(ask)) == "onetwo"
    turns.close()


def test_errors_reach_whoever_waits_on_either_side() -> None:
    turns = Turns(nullcontext)

    async def fail() -> None:
        raise LookupError("there")

    with pytest.raises(LookupError, match="there"):
        asyncio.run(turns.run(lambda: turns.wait_for(fail())))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(turns.run(lambda: 1 // 0))
    turns.close()


def test_a_function_that_nobody_waits_for_any_more_ends() -> None:
    turns, ended = Turns(nullcontext), threading.Event()

    def ask() -> None:
        try:
            turns.wait_for(asyncio.Event().wait())
        finally:
            ended.set()

    async def leave() -> None:
        task = asyncio.create_task(turns.run(ask))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())

    assert ended.is_set()
    turns.close()


def test_what_would_run_in_the_frameworks_threads_takes_its_turn() -> None:
    turns = Turns(nullcontext)

    async def ask() -> str:
        with turns.instead_of_threads():
            return await anyio.to_thread.run_sync(lambda: turns.wait_for(answer("here")))

    assert asyncio.run(ask()) == "here"
    turns.close()
