"""What our pages would say, for the sandbox's page of states: only where there is a sandbox."""

import json
from dataclasses import replace

from nicegui import app

from services.container import Container
from tests.ui.simulation import Simulate
from ui.pages import sandbox_words

ABSENT = {"status": "none", "subscription_id": "", "current_period_end": "0001-01-01T00:00:00Z", "product_id": ""}
ACCOUNT = {"session_id": "s", "user_context": {"user_id": "ada", "subscription_status": "", "subscription_plan": ""}}
PRODUCTS = ("prod_sandbox_basic", "prod_sandbox_premium", "prod_sandbox_enterprise")


async def test_answers_of_both_services_are_put_in_words(container: Container, simulate: Simulate) -> None:
    silent = {"billing": dict.fromkeys(PRODUCTS, ABSENT), "account": ACCOUNT}
    unreadable = {"billing": {PRODUCTS[0]: {"odd": 1}}, "account": {"odd": 1}}
    async with simulate(container, sandbox_words.register) as user:
        answer = await user.http_client.post(
            "/sandbox/words", data={"customers": json.dumps({"silent": silent, "unreadable": unreadable})}
        )

    said = answer.json()
    assert said["silent"]["headline"] == "No subscription yet"
    assert said["silent"]["offers"] == ["Choose a plan"]
    assert said["unreadable"]["headline"] == "We can't check right now"
    assert said["unreadable"]["offers"] == ["Try again"]


async def test_anything_else_is_refused(container: Container, simulate: Simulate) -> None:
    async with simulate(container, sandbox_words.register) as user:
        answers = [
            await user.http_client.post("/sandbox/words", data=data) for data in ({}, {"customers": '{"a": {"b": 1}}'})
        ]

    assert [answer.status_code for answer in answers] == [422, 422]


def test_it_is_not_there_without_the_sandbox(container: Container) -> None:
    live = container.settings.model_copy(update={"sandbox": False})
    before = len(app.routes)

    sandbox_words.register(replace(container, settings=live))

    assert len(app.routes) == before
