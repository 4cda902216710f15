"""Messages inside one process: bounded queues, one a subscriber. A slow subscriber never holds up a publisher."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from services.storage.port import RESYNC


class MessageStream(AsyncIterator[str]):
    """One subscriber's queue. When it overflows the oldest message goes, and `RESYNC` comes first instead."""

    def __init__(self, limit: int) -> None:
        """Hold at most `limit` messages."""
        self._messages: deque[str] = deque(maxlen=limit)
        self._lost = False
        self._ended = False
        self._ready = asyncio.Event()

    def offer(self, message: str) -> None:
        """Queue a message without waiting."""
        if message == RESYNC:
            self._lost = True
        else:
            self._lost = self._lost or len(self._messages) == self._messages.maxlen
            self._messages.append(message)
        self._ready.set()

    def end(self) -> None:
        """Let the subscriber's loop end after what is queued."""
        self._ended = True
        self._ready.set()

    async def __anext__(self) -> str:
        """Wait for the next message."""
        await self._ready.wait()
        if self._lost:
            self._lost = False
            message = RESYNC
        elif self._messages:
            message = self._messages.popleft()
        else:
            raise StopAsyncIteration
        if not (self._lost or self._messages or self._ended):
            self._ready.clear()
        return message


class LocalPubSub:
    """Who in this process listens to what."""

    def __init__(self, limit: int = 100) -> None:
        """Let each subscriber fall `limit` messages behind before it loses some."""
        self._limit = limit
        self._subscriptions: dict[str, set[MessageStream]] = {}

    @property
    def names(self) -> set[str]:
        """The channels that have subscribers."""
        return set(self._subscriptions)

    @contextmanager
    def subscribe(self, channel: str) -> Iterator[MessageStream]:
        """Listen inside the block."""
        subscription = MessageStream(self._limit)
        self._subscriptions.setdefault(channel, set()).add(subscription)
        try:
            yield subscription
        finally:
            listeners = self._subscriptions.get(channel, set())
            listeners.discard(subscription)
            if not listeners:
                self._subscriptions.pop(channel, None)

    def publish(self, channel: str, message: str) -> None:
        """Hand a message to all subscribers of the channel."""
        for subscription in self._subscriptions.get(channel, ()):
            subscription.offer(message)

    def resync(self, channel: str | None = None) -> None:
        """Tell all subscribers, or one channel's listeners, that messages may have been lost."""
        for name in [channel] if channel is not None else list(self._subscriptions):
            self.publish(name, RESYNC)

    def end(self) -> None:
        """Let every subscriber's loop end."""
        for listeners in self._subscriptions.values():
            for subscription in listeners:
                subscription.end()
