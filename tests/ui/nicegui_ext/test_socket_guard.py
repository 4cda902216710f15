"""How much a socket may send, and how often that is logged."""

from structlog.testing import capture_logs

from ui.nicegui_ext.socket_guard import EVENTS_A_SECOND, MOST_EVENTS, SAID_EVERY, EventPace, SocketNoise


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
