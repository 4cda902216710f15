"""The page of states says what the app says, in the app's own words: of them the sandbox has none."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sandbox.control.scenarios import SCENARIOS
from sandbox.in_process import InProcessSandbox, settings_in_memory
from sandbox.panel.app_words import AskApp, answers_in_each_state
from sandbox.rendering import page
from sandbox.state import Addresses
from services.container import Container
from services.live_status.supposed import SupposedAnswers, supposed_status
from services.subscription.grant_rules import ACCOUNT_ALONE
from settings import load_settings
from truth.addresses import AUTH, PAYMENT, STRIPE
from truth.outside import InProcessTransport
from ui.pages.sandbox_words import said_of
from wiring.build import build

SHAPES = ("running", "documented", "detailed")
TOLD = {
    "badge": "Bezahlt", "tone": "success", "headline": "Words of <another> app", "sentence": "Said a moment ago.",
    "offers": ["Go on"], "beside": [],
}  # fmt: skip


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[InProcessSandbox]:
    shape = getattr(request, "param", "detailed")
    sandbox = InProcessSandbox(settings_in_memory(status_shape=shape), Addresses(PAYMENT, AUTH, STRIPE))
    yield sandbox
    sandbox.close()


def now(sandbox: InProcessSandbox) -> datetime:
    return datetime.fromtimestamp(sandbox.state.clock.timestamp(), UTC)


@pytest.fixture
async def app(sandbox: InProcessSandbox, tmp_path: Path) -> AsyncIterator[Container]:
    running = build(
        load_settings(_env_file=None, storage_path=str(tmp_path / "store.sqlite3")),
        payment_transport=InProcessTransport(PAYMENT, sandbox.payment),
        auth_transport=InProcessTransport(AUTH, sandbox.auth),
        now=lambda: now(sandbox),
    )
    yield running.container
    await running.stop()


async def said_to_somebody_in(name: str, app: Container, sandbox: InProcessSandbox) -> dict[str, object]:
    """Sign somebody in, put them in a state, and return what their billing page says."""
    transport = httpx.ASGITransport(sandbox.stripe)
    async with httpx.AsyncClient(transport=transport, base_url=f"{STRIPE}/control/") as control:
        made = (await control.post("users", json={"email": f"{name}@example.com"})).json()
        await control.post(f"users/{made['user_id']}/state", json={"status": name, "email": made["email"]})
    start = await app.sessions.begin_sign_in("google", "/")
    done = await app.sessions.complete_sign_in(
        token=start.token, state=None, auth_code=str(made["auth_code"]), old_session_id=None
    )
    status = await app.refresher.ask(done.session, "all", fresh=True)
    return said_of(status, app.catalog, now(sandbox))


@pytest.mark.parametrize("sandbox", SHAPES, indirect=True)
async def test_words_of_each_state_are_those_to_somebody_in_it(app: Container, sandbox: InProcessSandbox) -> None:
    supposed, said = {}, {}
    for name, answers in answers_in_each_state(sandbox.state).items():
        status = supposed_status(
            SupposedAnswers.model_validate(answers), app.catalog, now(sandbox), grants=ACCOUNT_ALONE
        )
        supposed[name] = said_of(status, app.catalog, now(sandbox))
        said[name] = await said_to_somebody_in(name, app, sandbox)

    assert supposed.keys() == {scenario.name for scenario in SCENARIOS}
    assert supposed == said


async def test_page_shows_what_the_app_answers_and_nothing_of_its_own(sandbox: InProcessSandbox) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={scenario.name: TOLD for scenario in SCENARIOS})

    words = await AskApp(sandbox.state, httpx.MockTransport(answer)).words()
    shown = page(
        "states.html", scenarios=SCENARIOS, people={}, words=words, said="", brand="B", app_url="http://app.test"
    )

    assert [request.url.path for request in asked] == ["/sandbox/words"]
    assert bytes(shown.body).decode().count("Words of &lt;another&gt; app") == len(SCENARIOS)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(200, text="<!doctype html>another program"),
        httpx.Response(200, json={"none": {**TOLD, "tone": 'x" onclick="'}}),
    ],
)
async def test_without_the_app_no_words_stand_there(sandbox: InProcessSandbox, answer: httpx.Response) -> None:
    assert await AskApp(sandbox.state, httpx.MockTransport(lambda _request: answer)).words() == {}


async def test_what_is_asked_leaves_no_trace(sandbox: InProcessSandbox) -> None:
    before = json.dumps([one.model_dump(mode="json") for one in sandbox.state.people()])

    answers_in_each_state(sandbox.state)

    assert json.dumps([one.model_dump(mode="json") for one in sandbox.state.people()]) == before
    assert sandbox.state.subscriptions.newest() == []
    assert sandbox.state.webhooks.log() == []
