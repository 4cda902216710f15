"""Short messages to whoever watches the same thing, in this process and on the other replicas.

One subscription to the store a process, however many listeners; it ends with the last of them. An announcement says
that something changed, never what is true: listeners read that themselves. Local listeners are told even while the
store can't be reached.
"""

import asyncio
import contextlib
import contextvars
import json
import secrets
from collections import defaultdict
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import structlog

from services.errors import StoreUnavailable
from services.storage.port import RESYNC, Store

_CHANNEL: Final = "announcements"
_RETRY_AFTER: Final = 1.0

_log = structlog.get_logger(__name__)


class Topic(StrEnum):
    """What an announcement is about. The key beside it says whose."""

    CUSTOMER_STATUS = "standing"
    POLL = "hurry"
    OUTDATED = "outdated"
    SESSION_ENDED = "session_ended"
    CART = "cart"
    CATALOG = "catalog"


_READ_AGAIN: Final = frozenset({Topic.CUSTOMER_STATUS, Topic.OUTDATED, Topic.CART, Topic.CATALOG})
"""Topics whose listeners read the truth again when announcements may have been lost. It does not mean that a user
has signed out or come back."""


class Subscriber:
    """One callback waiting for one topic and key; `close` it when its page is gone."""

    def __init__(self, owner: "PubSub", topic: Topic, key: str, callback: Callable[[str], None]) -> None:
        self._owner = owner
        self.topic = topic
        self.key = key
        self.callback = callback

    def close(self) -> None:
        """Stop listening; closing twice does nothing."""
        self._owner.forget(self)


class PubSub:
    """Publishes and delivers announcements over the store's channel."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._replica = secrets.token_hex(8)
        self._listeners: defaultdict[tuple[Topic, str], set[Subscriber]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """How many listeners there are."""
        return sum(len(group) for group in self._listeners.values())

    def listen(self, topic: Topic, key: str, callback: Callable[[str], None]) -> Subscriber:
        """Call `callback(text)` for each announcement, until the returned listener is closed."""
        listener = Subscriber(self, topic, key, callback)
        self._listeners[topic, key].add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(
                self._receive(), name="announcements", context=contextvars.Context()
            )  # a context of its own: it outlives the request that happened to start it
        return listener

    def forget(self, listener: Subscriber) -> None:
        """Remove a listener, and end the subscription with the last one."""
        group = self._listeners.get((listener.topic, listener.key))
        if group is None:
            return
        group.discard(listener)
        if not group:
            del self._listeners[listener.topic, listener.key]
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def announce(self, topic: Topic, key: str, text: str = "", *, here: bool = True) -> None:
        """Tell all listeners: in this process at once (if `here`), elsewhere when the store can be reached."""
        if here:
            self._deliver(topic, key, text)
        message = json.dumps({"from": self._replica, "topic": topic, "key": key, "text": text})
        with contextlib.suppress(StoreUnavailable):
            await self._store.publish(_CHANNEL, message)

    def _deliver(self, topic: Topic, key: str, text: str) -> None:
        for listener in tuple(self._listeners.get((topic, key), ())):
            try:
                listener.callback(text)
            except Exception:
                _log.exception("listener_failed", topic=topic)

    async def _receive(self) -> None:
        lost = False
        while self._listeners:
            try:
                async with self._store.subscribe(_CHANNEL) as messages:
                    if lost:
                        self._dispatch(RESYNC)
                    async for message in messages:
                        self._dispatch(message)
                return
            except StoreUnavailable:
                lost = True
                await asyncio.sleep(_RETRY_AFTER)
            except Exception:
                _log.exception("announcements_crashed")
                lost = True
                await asyncio.sleep(_RETRY_AFTER)

    def _dispatch(self, message: str) -> None:
        if message == RESYNC:
            for topic, key in tuple(self._listeners):
                if topic in _READ_AGAIN:
                    self._deliver(topic, key, RESYNC)
            return
        try:
            value = json.loads(message)
            sender, topic, key, text = value["from"], Topic(value["topic"]), str(value["key"]), str(value["text"])
        except (ValueError, KeyError, TypeError):  # another version's, during a deployment
            _log.warning("announcement_unreadable", length=len(message))
            return
        if sender != self._replica:
            self._deliver(topic, key, text)
