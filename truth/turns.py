"""Lets plain functions take part in a story: code that waits in its thread, in a process whose time stands still.

Either the loop runs or one of the functions does, never both, so that a story is the same each time. A function that
waits for another system gives the turn to the loop, which awaits that and gives it back.
"""

import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

import anyio.to_thread

T = TypeVar("T")
Call = Coroutine[Any, Any, Any]


class _Errand:
    """One function on its way: what it asks of the loop (None: it is done), and what it was answered."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[Call | None] = SimpleQueue()
        self.answered: SimpleQueue[Future[Any]] = SimpleQueue()
        self.is_left = False


class Turns:
    """Who runs. `machine` is entered whenever a function does: it gives the clock of the machine that it is on."""

    def __init__(self, machine: Callable[[], AbstractContextManager[None]]) -> None:
        self._machine = machine
        self._threads = ThreadPoolExecutor(32, "story")
        self._here = threading.local()

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in a thread of its own and return its result. The loop stands still but for what it asks."""
        errand, done = _Errand(), Future[T]()
        with self._machine():
            self._threads.submit(copy_context().run, self._work, errand, done, function)
            asked = errand.asked.get()
        while asked is not None:
            answer: Future[Any] = Future()
            try:
                answer.set_result(await asked)
            except Exception as error:
                answer.set_exception(error)
            except BaseException as error:  # nobody waits for the function any more: it has to end, too
                answer.set_exception(error)
                errand.is_left = True
                errand.answered.put(answer)
                errand.asked.get()
                raise
            with self._machine():
                errand.answered.put(answer)
                asked = errand.asked.get()
        return done.result()

    def wait_for(self, call: Coroutine[Any, Any, T]) -> T:
        """Have the loop await something; for functions that `run` runs."""
        errand: _Errand = self._here.errand
        if errand.is_left:
            call.close()
            raise RuntimeError("nobody waits for this any more")
        errand.asked.put(call)
        answer: Future[T] = errand.answered.get()
        return answer.result()

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    @contextmanager
    def instead_of_threads(self) -> Iterator[None]:
        """Have whatever FastAPI would do in its threads done here."""

        async def run_sync(function: Callable[..., T], *args: object, **_options: object) -> T:
            return await self.run(partial(function, *args))

        original = anyio.to_thread.run_sync
        anyio.to_thread.run_sync = run_sync  # type: ignore[assignment]
        try:
            yield
        finally:
            anyio.to_thread.run_sync = original

    def _work(self, errand: _Errand, done: "Future[T]", function: Callable[[], T]) -> None:
        self._here.errand = errand
        try:
            done.set_result(function())
        except BaseException as error:
            done.set_exception(error)
        finally:
            errand.asked.put(None)
