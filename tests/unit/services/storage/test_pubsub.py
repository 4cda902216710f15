"""Short messages to whoever watches the same thing, here and on other replicas."""

import asyncio
import json

import pytest
import structlog

from services.storage.port import RESYNC
from services.storage.pubsub import PubSub, Topic
from tests.fakes import Clock, settle
from truth.memory_store import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Clock())


async def test_a_message_is_heard_once_on_each_replica_by_its_key_alone(store: MemoryStore) -> None:
    one, two = PubSub(store), PubSub(store)
    heard: list[str] = []
    listeners = [
        one.listen(Topic.CUSTOMER_STATUS, "ada", lambda text: heard.append(f"one {text}")),
        two.listen(Topic.CUSTOMER_STATUS, "ada", lambda text: heard.append(f"two {text}")),
        two.listen(Topic.CUSTOMER_STATUS, "bob", lambda text: heard.append(f"bob {text}")),
        two.listen(Topic.POLL, "ada", lambda text: heard.append(f"hurry {text}")),
    ]
    await settle()

    await one.announce(Topic.CUSTOMER_STATUS, "ada", "x")
    await settle()

    assert heard == ["one x", "two x"]
    for listener in listeners:
        listener.close()


async def test_a_message_for_the_others_is_not_heard_here(store: MemoryStore) -> None:
    one, two = PubSub(store), PubSub(store)
    heard: list[str] = []
    here = one.listen(Topic.CART, "a", lambda _text: heard.append("here"))
    there = two.listen(Topic.CART, "a", lambda _text: heard.append("there"))
    await settle()

    await one.announce(Topic.CART, "a", here=False)
    await settle()

    assert heard == ["there"]
    here.close()
    there.close()


async def test_the_subscription_ends_with_the_last_listener(store: MemoryStore) -> None:
    before = asyncio.all_tasks()
    pubsub = PubSub(store)
    listeners = [pubsub.listen(Topic.CART, str(number % 3), lambda _text: None) for number in range(9)]
    await settle()
    assert pubsub.count == 9
    assert len(asyncio.all_tasks() - before) == 1

    for listener in listeners:
        listener.close()
        listener.close()
    await settle()

    assert pubsub.count == 0
    assert asyncio.all_tasks() == before
    assert store._channels.names == set()


async def test_listening_again_subscribes_again(store: MemoryStore) -> None:
    one, two = PubSub(store), PubSub(store)
    one.listen(Topic.CART, "a", lambda _text: None).close()
    heard: list[str] = []
    listener = one.listen(Topic.CART, "a", heard.append)
    await settle()

    await two.announce(Topic.CART, "a", "x")
    await settle()

    assert heard == ["x"]
    listener.close()


async def test_local_listeners_are_told_while_the_store_is_away(store: MemoryStore) -> None:
    pubsub = PubSub(store)
    heard: list[str] = []
    listener = pubsub.listen(Topic.CART, "a", heard.append)
    store.broken = True

    await pubsub.announce(Topic.CART, "a", "x")

    assert heard == ["x"]
    listener.close()


async def test_after_a_gap_what_can_be_read_again_is_and_nobody_is_signed_out(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.storage.pubsub._RETRY_AFTER", 0)
    pubsub = PubSub(store)
    heard: list[tuple[str, str]] = []
    store.broken = True
    listeners = [
        pubsub.listen(topic, "a", lambda text, topic=topic: heard.append((topic, text)))  # type: ignore[misc]
        for topic in Topic
    ]
    await settle()
    assert store.operations > 1
    assert heard == []

    store.broken = False
    await settle()

    assert heard == [(topic, RESYNC) for topic in (Topic.CUSTOMER_STATUS, Topic.OUTDATED, Topic.CART, Topic.CATALOG)]
    for listener in listeners:
        listener.close()


async def test_lost_messages_are_told_to_those_who_read_again(store: MemoryStore) -> None:
    pubsub = PubSub(store)
    heard: list[str] = []
    listeners = [pubsub.listen(topic, "a", heard.append) for topic in (Topic.CART, Topic.SESSION_ENDED)]
    await settle()

    store.lose_messages()
    await settle()

    assert heard == [RESYNC]
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(
    "message",
    ["", "not json", "[]", "{}", json.dumps({"from": "x", "topic": "of_a_later_release", "key": "a", "text": ""})],
)
async def test_what_another_release_says_does_not_end_the_listening(store: MemoryStore, message: str) -> None:
    one, two = PubSub(store), PubSub(store)
    heard: list[str] = []
    listener = one.listen(Topic.CART, "a", heard.append)
    await settle()

    with structlog.testing.capture_logs() as logged:
        await store.publish("announcements", message)
        await two.announce(Topic.CART, "a", "x")
        await settle()

    assert heard == ["x"]
    assert [line["event"] for line in logged] == ["announcement_unreadable"]
    listener.close()


async def test_a_listener_that_fails_does_not_keep_the_others_from_hearing(store: MemoryStore) -> None:
    pubsub = PubSub(store)
    heard: list[str] = []

    def fail(_text: str) -> None:
        raise RuntimeError("a broken page")

    listeners = [pubsub.listen(Topic.CART, "a", callback) for callback in (fail, heard.append, fail)]

    with structlog.testing.capture_logs() as logged:
        await pubsub.announce(Topic.CART, "a", "x")

    assert heard == ["x"]
    assert [line["event"] for line in logged] == ["listener_failed", "listener_failed"]
    for listener in listeners:
        listener.close()


async def test_a_closed_store_ends_the_listening(store: MemoryStore) -> None:
    pubsub = PubSub(store)
    listener = pubsub.listen(Topic.CART, "a", lambda _text: None)
    await settle()

    await store.close()
    await settle()

    assert pubsub._task is not None
    assert pubsub._task.done()
    listener.close()


async def test_announcements_go_on_after_an_error_nobody_foresaw(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.storage.pubsub._RETRY_AFTER", 0.0)
    one, two = PubSub(store), PubSub(store)
    subscribe, crashes = store.subscribe, [RuntimeError("a bug")]

    def crash_once(channel: str) -> object:
        if crashes:
            raise crashes.pop()
        return subscribe(channel)

    monkeypatch.setattr(store, "subscribe", crash_once)
    heard: list[str] = []
    with structlog.testing.capture_logs() as logged:
        listener = one.listen(Topic.CART, "a", heard.append)
        await settle()

    await two.announce(Topic.CART, "a", "x")
    await settle()

    assert [line["event"] for line in logged] == ["announcements_crashed"]
    assert heard == [RESYNC, "x"]
    listener.close()
