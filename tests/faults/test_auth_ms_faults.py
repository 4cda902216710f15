"""Rows 24 to 27, as far as the client goes: what the Auth MS's failures mean for who is signed in."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.auth_ms import AuthMS
from services.errors import NotSignedIn, SignInFailed, SignInUnavailable
from services.upstream.client import Upstream
from tests.faults.calls import DEADLINE, SLACK, failure
from tests.faults.fault_server import (
    Behaviour,
    FaultServer,
    flood,
    hang_up,
    limit_data,
    redirect,
    reply,
    reset_peer,
    slicer,
    timeout,
)

SESSION = SecretStr("sess_secret_1")
SIGNED_IN = {"session_id": "sess_2", "user_context": {"user_id": "user_1"}}
FAILURES = {
    "silence": timeout(),
    "drip": slicer(b"{}" + b" " * 1000),
    "hang up": hang_up(),
    "reset": reset_peer(),
    "500": reply({}, 500),
    "502 page": reply("<html>", 502, content_type="text/html"),
    "503": reply({}, 503, headers={"Retry-After": "5"}),
    "429": reply({}, 429),
    "redirect": redirect("https://evil.example/"),
    "404 page": reply("<html>", 404, content_type="text/html"),
    "not JSON": reply("{"),
    "truncated": limit_data(SIGNED_IN, 9),
    "wrong type": reply(SIGNED_IN, content_type="text/html"),
    "too large": flood(2 * 1024 * 1024),
    "no user": reply({"session_id": "sess_2"}),
}


@pytest_asyncio.fixture
async def auth_ms(server: FaultServer) -> AsyncIterator[AuthMS]:
    upstream = Upstream("auth_ms", server.url, max_in_flight=50)
    yield AuthMS(upstream, deadline=DEADLINE)
    await upstream.aclose(grace=0.0)


@pytest.mark.faults("24 Auth MS fails at sign-in")
@pytest.mark.parametrize("name", FAILURES)
async def test_code_is_sent_once_and_the_failure_told_in_time(server: FaultServer, auth_ms: AuthMS, name: str) -> None:
    server.behave(FAILURES[name])
    started = time.monotonic()

    error = await failure(auth_ms.create("code_secret_1"), SignInUnavailable)

    assert time.monotonic() - started < DEADLINE + SLACK
    assert len(server.requests) == 1
    assert "secret_1" not in f"{error!r}{error}{error.__cause__!r}"


@pytest.mark.faults("24 Auth MS fails at sign-in")
async def test_refused_connection_is_tried_once_more(server: FaultServer, auth_ms: AuthMS) -> None:
    await server.stop()

    await failure(auth_ms.create("code-1"), SignInUnavailable)
    server.behave(reply(SIGNED_IN))
    await server.start()

    assert (await auth_ms.create("code-1")).user.user_id == "user_1"


@pytest.mark.faults("25 code used or expired")
@pytest.mark.parametrize("answer", [reply({}, 400), reply("used", 401, content_type="text/plain")])
async def test_refused_code_asks_for_a_new_sign_in(server: FaultServer, auth_ms: AuthMS, answer: Behaviour) -> None:
    server.behave(answer)

    error = await failure(auth_ms.create("code-1"), SignInFailed)

    assert (error.status, len(server.requests)) == (401, 1)


@pytest.mark.faults("26 refresh refused")
async def test_ended_session_is_told(server: FaultServer, auth_ms: AuthMS) -> None:
    server.behave(reply("expired", 401, content_type="text/plain"))

    assert (await failure(auth_ms.refresh(SESSION), NotSignedIn)).status == 401


@pytest.mark.faults("27 refresh fails")
@pytest.mark.parametrize("name", FAILURES)
async def test_failed_refresh_is_never_a_sign_out(server: FaultServer, auth_ms: AuthMS, name: str) -> None:
    server.behave(FAILURES[name])

    await failure(auth_ms.refresh(SESSION), SignInUnavailable)

    assert len(server.requests) == 1


@pytest.mark.faults("24 Auth MS fails at sign-in")
async def test_slow_sign_ins_do_not_wait_for_each_other(server: FaultServer, auth_ms: AuthMS) -> None:
    server.behave(timeout())
    started = time.monotonic()

    await asyncio.gather(*(failure(auth_ms.create(f"code-{number}"), SignInUnavailable) for number in range(20)))

    assert time.monotonic() - started < DEADLINE + SLACK


@pytest.mark.faults("24 nothing secret in the logs")
async def test_http_library_writes_no_line_of_its_own(
    server: FaultServer, auth_ms: AuthMS, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.behave(reply(SIGNED_IN))

    await auth_ms.create("code_secret_1")

    assert not [record for record in caplog.records if record.name.startswith(("httpx", "httpcore"))]
