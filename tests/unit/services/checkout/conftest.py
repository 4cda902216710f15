"""Somebody who buys."""

from collections.abc import AsyncIterator

import pytest_asyncio

from services.sessions.service import Session
from tests.replica import Replica


@pytest_asyncio.fixture
async def ada(replica: Replica) -> AsyncIterator[Session]:
    """Ada, signed in; what she started is seen through."""
    yield await replica.sign_in()
    await replica.checkout.finish()
