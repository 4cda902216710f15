"""The payment service of this repository in a story, in place of the sandbox's Payment MS: at the sandbox's Stripe.

Its official library reaches Stripe's REST API, Stripe's signed webhooks reach its routes, and what it tells reaches the
app and the Auth MS: by calls in this process. What its thread would do in the background is done when the story's time
has come.
"""

import asyncio
import io
import re
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextlib import AsyncExitStack
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send
from urllib3 import HTTPResponse

from payment_service.api import application
from payment_service.looks import StripeLooks
from payment_service.migrate import migrate
from payment_service.request_limits import WEBHOOK_PATH
from payment_service.service import PaymentService
from payment_service.settings import ServiceSettings
from payment_service.worker import Worker
from sandbox.settings import SANDBOX_API_KEY, SANDBOX_WEBHOOK_SECRET, Reach
from sandbox.state import SandboxState
from sandbox.stripe.objects import StripeSubscription
from sandbox.stripe.posting import EndpointPoster
from sandbox.stripe.rest.api import stripe_api
from truth.addresses import APP, EVENTS_SECRET
from truth.turns import Turns
from truth.virtual_time import VirtualTime

ROUND: Final = 15.0
"""Seconds between two looks at what is due, where nothing hurries: the service itself looks every second."""

LOOKS: Final = 60.0
"""Seconds between its looks at Stripe, and at what it has not heard of for a day."""

ANSWERED: Final = 0.1
"""Seconds in which whoever was told of something asks and is answered: no time is slept through in a call's middle."""

_SUBSCRIPTION: Final = re.compile(r"/v1/subscriptions/(sub_\w+)")

T = TypeVar("T")

Answer = Callable[[httpx.Request], Coroutine[Any, Any, httpx.Response]]


class _NobodyWaits(StripeLooks):
    """Looks for whose turn nobody waits: a function of a story that waits for another one would do so for ever."""

    def turn(self, subscription_id: str) -> threading.Lock:
        return threading.Lock()


class OwnPaymentService:
    """The service. `told` is what Stripe has told it of each subscription, as that was then: what it can know."""

    def __init__(
        self,
        state: SandboxState,
        folder: Path,
        clock: VirtualTime,
        *,
        ahead: Callable[[], float],
        tells: bool,
        failed: Callable[[Exception], None],
    ) -> None:
        """`ahead` says by how many seconds its clock is ahead of the app's, `failed` is given what goes wrong in it."""
        self._state, self._failed, self._ahead = state, failed, ahead
        self.turns = Turns(lambda: clock.ahead(ahead()))
        self.told: dict[str, StripeSubscription] = {}
        self.on_told: list[Callable[[], None]] = []
        self.way_to_app: httpx.AsyncBaseTransport | None = None
        self.way_to_auth: httpx.AsyncBaseTransport | None = None
        database = folder / "payment_service.sqlite3"
        database.write_bytes(empty_database())
        addresses = state.addresses
        self._settings = ServiceSettings(
            _env_file=None,
            stripe_secret_key=SecretStr("sk_test_of_the_story"),
            stripe_webhook_secret=(SecretStr(SANDBOX_WEBHOOK_SECRET),),
            stripe_api_base=addresses.stripe,
            database_url=SecretStr(f"sqlite:///{database}"),
            payment_ms_api_key=SecretStr(SANDBOX_API_KEY),
            payment_ms_webhook_secret=SecretStr(EVENTS_SECRET),
            checkout_limit="1000/minute",
            app_events_url=f"{APP}/api/payment/events" if tells else "",
            auth_events_url=f"{addresses.auth}/auth/subscriptions" if tells else "",
        )
        session = requests.Session()
        session.mount("http://", _ToStripe(self.turns, self._asked_stripe))
        self._service = PaymentService(self._settings, _ToOthers(self.turns, self._tell), session, _SameThread())
        object.__setattr__(self._service.sync, "looks", _NobodyWaits())  # a frozen dataclass
        self._api = application(self._service, with_worker=False)
        self._worker = Worker(self._service)
        self._poll_due = self._look_due = 0.0
        self._stripe = httpx.ASGITransport(Starlette(routes=[Mount("/v1", stripe_api(state))]))
        self._poster = EndpointPoster(state, httpx.ASGITransport(self.serve), lambda: time.time() + ahead())
        self._running = AsyncExitStack()
        self._hurry, self._one_round = asyncio.Event(), asyncio.Lock()
        self._clockwork: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Start it."""
        self._running.enter_context(self.turns.instead_of_threads())
        await self._running.enter_async_context(self._api.router.lifespan_context(self._api))
        await self.round()
        self._clockwork = asyncio.create_task(self._go_on())

    async def end(self) -> None:
        """Stop it."""
        if self._clockwork is not None:
            self._clockwork.cancel()
            await asyncio.gather(self._clockwork, return_exceptions=True)
        await self._poster.close()
        await self._running.aclose()
        self.turns.close()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The service as its server has it: with a `Date`."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] >= 500:
                    self._failed(RuntimeError(f"{scope['method']} {scope['path']} answers {message['status']}"))
                date = formatdate(time.time() + self._ahead(), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        await self._api(scope, receive, dated)
        if scope["path"] == WEBHOOK_PATH:
            self._hurry.set()

    async def catch_up(self) -> None:
        """Let everything that Stripe posts arrive, and what follows from it."""
        while self._state.webhooks.posts:
            await asyncio.gather(*self._state.webhooks.posts, return_exceptions=True)
        await self.round()
        await asyncio.sleep(ANSWERED)

    async def round(self) -> None:
        """Do what is due in the background."""
        try:
            async with self._one_round:
                await self.turns.run(self._do_what_is_due)
        except Exception as error:
            self._failed(error)

    async def _go_on(self) -> None:
        while True:
            try:
                async with asyncio.timeout(ROUND):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            self._hurry.clear()
            await self.round()

    def _do_what_is_due(self) -> None:
        """The worker's tasks, in its order."""
        now, poll = time.time(), self._settings.poll_events or float("inf")
        for target in self._service.outbox.targets:
            self._service.outbox.send_due(target, at_once=1)
        self._worker.take_back()
        if now >= self._look_due:
            self._look_due = now + LOOKS
            self._service.stripe.look()
            self._worker.look_at_old_ones()
        if now >= self._poll_due:
            self._poll_due = now + poll
            self._worker.read_events()

    async def _asked_stripe(self, request: httpx.Request) -> httpx.Response:
        """Answer the library, and note what of."""
        answer = await _whole(self._stripe, request)
        asked = _SUBSCRIPTION.fullmatch(request.url.path)
        known = self._state.subscriptions.get(asked[1]) if asked and request.method == "GET" else None
        if known is not None and self.told.get(known.id) != known:
            self.told[known.id] = known
            for observe in self.on_told:
                observe()
        return answer

    async def _tell(self, request: httpx.Request) -> httpx.Response:
        """Take what the service tells to whom it is for. News that reaches the service alone stays there."""
        if str(request.url).startswith(self._state.addresses.auth):
            if self._state.runtime_settings.current.webhook_reach is Reach.PAYMENT:
                return httpx.Response(503)
            way = self.way_to_auth
        else:
            way = self.way_to_app
        return await _whole(way, request) if way is not None else httpx.Response(503)


class _SameThread(Executor):
    """Does at once what is given to a thread."""

    def submit(self, function: Callable[..., T], /, *args: Any, **more: Any) -> "Future[T]":
        done = Future[T]()
        done.set_result(function(*args, **more))
        return done


class _ToStripe(HTTPAdapter):
    """Takes the library's requests to the sandbox's Stripe."""

    def __init__(self, turns: Turns, ask: Answer) -> None:
        super().__init__()
        self._turns, self._ask = turns, ask

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        headers = {name: str(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, str | bytes) else None
        asked = httpx.Request(str(request.method), str(request.url), headers=headers, content=body)
        answer = self._turns.wait_for(self._ask(asked))
        content = io.BytesIO(answer.content)
        made = HTTPResponse(content, dict(answer.headers), answer.status_code, preload_content=False)
        return self.build_response(request, made)


class _ToOthers(httpx.BaseTransport):
    """Takes what the service posts to others."""

    def __init__(self, turns: Turns, tell: Answer) -> None:
        self._turns, self._tell = turns, tell

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._turns.wait_for(self._tell(request))


async def _whole(way: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    answer = await way.handle_async_request(request)
    return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@lru_cache
def empty_database() -> bytes:
    """Return a database with its tables: the migrations run once in a process."""
    with tempfile.TemporaryDirectory(prefix="story-") as folder:
        path = Path(folder) / "empty.sqlite3"
        service = PaymentService(ServiceSettings(_env_file=None, database_url=SecretStr(f"sqlite:///{path}")))
        migrate(service.database)
        service.close()
        return path.read_bytes()
