"""The one connection on its own: when it is free again."""

import asyncio

from sandbox.payment.single_connection import SingleConnection


def test_wait_for_what_is_written_ends_when_the_connection_is_free() -> None:
    async def call_after_the_write() -> bool:
        connection = SingleConnection(write_seconds=0.05)
        connection.hold_for_a_write()
        await connection.all_written()
        with connection.held():
            return connection.lost

    assert asyncio.run(call_after_the_write()) is False


def test_call_that_does_not_wait_meets_the_write() -> None:
    async def call_at_once() -> bool:
        connection = SingleConnection(write_seconds=0.05)
        connection.hold_for_a_write()
        with connection.held():
            return connection.lost

    assert asyncio.run(call_at_once()) is True
