"""How much a socket may send, and how often that is logged."""

import gc
import weakref

from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from ui.nicegui_ext.socket_guard import (
    EVENTS_A_SECOND,
    MOST_EVENTS,
    SAID_EVERY,
    EventPace,
    ReleasedSockets,
    SocketNoise,
)


class Seconds:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_socket_may_send_so_many_at_once_and_then_so_many_a_second() -> None:
    clock = Seconds()
    pace = EventPace(clock)

    burst = [pace.allows("greedy") for _event in range(MOST_EVENTS + 5)]
    other = pace.allows("other")
    clock.now += 1
    later = [pace.allows("greedy") for _event in range(int(EVENTS_A_SECOND) + 5)]

    assert burst == [True] * MOST_EVENTS + [False] * 5
    assert other
    assert later == [True] * int(EVENTS_A_SECOND) + [False] * 5


def test_a_closed_socket_leaves_nothing() -> None:
    pace = EventPace()
    pace.allows("gone")
    pace.forget("gone")
    pace.forget("never there")

    assert not pace._left


def test_noise_is_counted_each_time_and_logged_once_a_minute_for_each_kind() -> None:
    clock, counted = Seconds(), list[str]()
    noise = SocketNoise(counted.append, clock)

    with capture_logs() as logs:
        for _time in range(100):
            noise.dropped("foreign_event", "event")
        noise.dropped("event_unusable", "ack", cause="KeyError")
        clock.now += SAID_EVERY
        noise.dropped("foreign_event", "event")

    assert len(counted) == 102
    assert [(line["event"], line["kind"]) for line in logs] == [
        ("foreign_event", "event"), ("event_unusable", "ack"), ("foreign_event", "event")
    ]  # fmt: skip


class SocketConnection:
    """A socket's end at the server, which tells the app what came."""

    async def receive(self) -> Message:
        return {"type": "websocket.connect"}

    async def send(self, message: Message) -> None:
        raise AssertionError("nothing is to be sent")


async def test_a_connection_goes_with_its_socket_whatever_was_made_of_it() -> None:
    came: list[Message] = []

    async def engine(scope: Scope, receive: Receive, send: Send) -> None:
        class Payload:  # as engine.io makes one: a class refers to itself
            read = receive

        came.append(await Payload.read())

    connection = SocketConnection()
    gone = weakref.ref(connection)
    gc.disable()
    try:
        await ReleasedSockets(engine)({"type": "websocket"}, connection.receive, connection.send)
        del connection

        assert gone() is None
    finally:
        gc.enable()
    assert came == [{"type": "websocket.connect"}]
