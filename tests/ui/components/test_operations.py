"""The parts of the operator's page: what they say of calls, of the log, of time."""

import json
from datetime import UTC, datetime

import pytest
from nicegui import Client
from nicegui.page import page

from services.upstream.circuit import CircuitState
from services.webhooks.model import EventKind, WebhookDelivery, WebhookEvent
from tests.ui.reading import tags_in, text_of
from ui.components.operations import OperationRow, draw_dead, draw_operations, draw_problems, draw_unwell, duration
from ui.nicegui_ext.html import Tag


@pytest.fixture
async def client() -> Client:
    return Client(page(""))


async def test_each_number_of_a_call_has_its_columns_name_beside_it_for_a_phone(client: Client) -> None:
    with client, Tag("div") as place:
        draw_operations("payment_ms", [OperationRow("portal", CircuitState.OPEN, 1234, 3, 0.0456)])

    cells = {tag.prop_dict().get("data-label"): text_of(tag).strip() for tag in tags_in(place) if tag.tag == "td"}
    assert cells == {"Circuit": "Open", "Calls": "1,234", "Not answered": "3", "Mean": "46 ms"}


async def test_what_is_not_well_stands_there_with_its_cure_and_what_is_well_does_not(client: Client) -> None:
    checks = {"store": {"status": "failing", "problem": "Nothing can be kept.", "cure": "Look at `redis-cli ping`."}}
    with client, Tag("div") as place:
        draw_unwell(checks)
    with client, Tag("div") as calm:
        draw_unwell({})

    assert "store Nothing can be kept." in text_of(place)
    assert "Look at redis-cli ping." in text_of(place)
    assert text_of(calm).strip() == ""


async def test_service_that_was_never_asked_has_no_empty_table(client: Client) -> None:
    with client, Tag("div") as place:
        draw_operations("auth_ms", [])

    assert text_of(place).strip() == "Not asked for anything yet."


async def test_line_of_the_log_says_the_essential_before_it_is_unfolded(client: Client) -> None:
    line = {"timestamp": "2026-11-30T09:01:08.12Z", "level": "error", "event": "upstream_call", "service": "auth_ms",
            "outcome": "server_error", "attempt": 2}  # fmt: skip
    with client, Tag("div") as place:
        draw_problems((json.dumps(line), "a line that was cut {"))

    first, second = (tag for tag in tags_in(place) if tag.tag == "details")
    summary = next(tag for tag in tags_in(first) if tag.tag == "summary")
    assert text_of(summary).strip() == "09:01:08Errorupstream_callauth_ms · server_error"
    assert "attempt" in text_of(first)
    assert "a line that was cut {" in text_of(second)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "less than a minute"), (600, "10 min"), (7500, "2 h 5 min"), (356_400, "4 d 3 h")],
)
def test_how_long_is_said_in_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


async def test_event_that_nobody_took_is_listed_with_its_endpoint_the_reason_and_its_id(client: Client) -> None:
    now = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    event = WebhookEvent(id="evt_1", kind=EventKind.SUBSCRIPTION_ENDED, at=now, data={"user_id": "ada"})
    with client, Tag("div") as place:
        draw_dead((WebhookDelivery(event=event, endpoint="reports", attempts=12, next_at=now, last="answered 500"),))
        draw_dead(())

    (listed,) = (tag for tag in tags_in(place) if tag.tag == "li")
    assert all(word in text_of(listed) for word in ("subscription.ended", "reports", "answered 500", "evt_1"))
    assert "ada" not in text_of(place)
    assert len([tag for tag in tags_in(place) if tag.tag == "section"]) == 1
