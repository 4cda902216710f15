"""Sign-in and refresh: both answer forms, the plan in both places, and what each failure means."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.auth_ms import AuthMS, PlanGrant, User, read_session
from services.errors import (
    FrontendError,
    NotSignedIn,
    SignInFailed,
    SignInUnavailable,
    UpstreamContractError,
    UpstreamFailed,
)
from services.upstream.client import Upstream
from services.upstream.responses import Call, RawResponse, read_response
from tests.examples import examples
from tests.faults.fault_server import Behaviour, FaultServer, hang_up, reply

ADA = {"user_id": "user_1", "name": "Ada", "email": "ada@example.com", "picture": "https://img.example/ada.png"}
PLAN = {"subscription_status": "active", "subscription_plan": "premium", "expires_at": "2026-12-23T20:15:23Z"}
GRANT = PlanGrant("active", "premium", datetime(2026, 12, 23, 20, 15, 23, tzinfo=UTC))
SESSION = SecretStr("sess_secret_1")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        server.behave(reply({"session_id": "sess_2", "user_context": ADA}))
        yield server


@pytest_asyncio.fixture
async def upstream(server: FaultServer) -> AsyncIterator[Upstream]:
    upstream = Upstream("auth_ms", server.url, max_in_flight=50)
    yield upstream
    await upstream.aclose()


@pytest.fixture
def auth_ms(upstream: Upstream) -> AuthMS:
    return AuthMS(upstream, "shop")


def test_sign_in_address_carries_the_way_back_encoded(auth_ms: AuthMS, server: FaultServer) -> None:
    address = auth_ms.sign_in_url("github", "https://shop.example/auth/callback?next=/a&b=1")

    assert address == (
        f"{server.url}/auth/github?redirect_uri=https%3A%2F%2Fshop.example%2Fauth%2Fcallback%3Fnext%3D%2Fa%26b%3D1"
    )


def test_browsers_may_find_it_at_another_address_than_we_do(upstream: Upstream) -> None:
    auth_ms = AuthMS(upstream, public_url="https://auth.example.com")

    assert auth_ms.sign_in_url("github", "https://shop.example/").startswith("https://auth.example.com/auth/github?")


@pytest.mark.parametrize("provider", ["", "facebook", "../admin", "google/../x", "Google"])
def test_provider_that_is_not_offered_is_refused(auth_ms: AuthMS, provider: str) -> None:
    with pytest.raises(SignInFailed):
        auth_ms.sign_in_url(provider, "https://shop.example/auth/callback")


async def test_code_becomes_a_session(auth_ms: AuthMS, server: FaultServer) -> None:
    session = await auth_ms.create("code-1")

    assert session.session_id.get_secret_value() == "sess_2"
    assert session.user == User("user_1", "Ada", "ada@example.com", "https://img.example/ada.png")
    assert session.grant is None
    assert (server.requests[0].target, server.requests[0].json) == ("/auth/session/create", {"auth_code": "code-1"})


async def test_refresh_reads_the_flat_form_and_keeps_the_session(auth_ms: AuthMS, server: FaultServer) -> None:
    server.behave(reply({"success": True, **ADA}))

    session = await auth_ms.refresh(SESSION)

    assert session.session_id == SESSION
    assert session.user.user_id == "user_1"
    assert server.requests[0].json == {"session_id": "sess_secret_1"}


async def test_refresh_takes_a_new_session_id(auth_ms: AuthMS) -> None:
    assert (await auth_ms.refresh(SESSION)).session_id.get_secret_value() == "sess_2"


@pytest.mark.parametrize(
    ("project", "context", "grant"),
    [
        ("shop", PLAN, GRANT),
        ("shop", {"projects": {"shop": PLAN}}, GRANT),
        ("shop", {"projects": {"shop": PLAN, "other": {"subscription_plan": "basic"}}}, GRANT),
        ("", {"projects": {"anything": PLAN}}, GRANT),
        ("", {"projects": {"one": PLAN, "two": PLAN}}, None),
        ("shop", {"projects": {"other": PLAN}}, None),
        ("shop", {"projects": {"other": "not ours to judge"}}, None),
        ("shop", {"projects": {"shop": None}}, None),
        ("shop", {"projects": {}} | PLAN, GRANT),
        ("shop", {"projects": None} | PLAN, GRANT),
        ("shop", {"projects": {"shop": {}}} | PLAN, GRANT),
        ("shop", {"projects": {"shop": {"subscription_plan": "basic"}}} | PLAN, PlanGrant("", "basic", None)),
        ("shop", {"subscription_status": "canceled"}, PlanGrant("canceled", "", None)),
        ("shop", {"subscription_status": "odd", "expires_at": ""}, PlanGrant("odd", "", None)),
        (
            "shop",
            {"subscription_status": "active", "expires_at": "0001-01-01T00:00:00Z"},
            PlanGrant("active", "", None),
        ),
        ("shop", {"expires_at": "2026-12-23T20:15:23Z"}, None),
        ("shop", {"subscription_status": None, "subscription_plan": None, "expires_at": None}, None),
    ],
)
async def test_plan_is_found_in_either_place(
    upstream: Upstream, server: FaultServer, project: str, context: dict[str, object], grant: PlanGrant | None
) -> None:
    server.behave(reply({"session_id": "sess_2", "user_context": ADA | context}))

    assert (await AuthMS(upstream, project).refresh(SESSION)).grant == grant


async def test_user_may_have_an_id_and_nothing_else(auth_ms: AuthMS, server: FaultServer) -> None:
    server.behave(reply({"session_id": "s", "user_context": {"user_id": "user_1", "name": None, "new_field": [1]}}))

    assert (await auth_ms.refresh(SESSION)).user == User("user_1")


@pytest.mark.parametrize("picture", ["javascript:alert(1)", "http://img.example/x", "data:,x", "//x", "https://", None])
async def test_picture_is_https_or_none(auth_ms: AuthMS, server: FaultServer, picture: str | None) -> None:
    server.behave(reply({"session_id": "s", "user_context": ADA | {"picture": picture}}))

    assert (await auth_ms.refresh(SESSION)).user.picture == ""


@pytest.mark.parametrize(
    ("said", "user"),
    [
        ({"user_id": 5}, User("5", "Ada", "ada@example.com", ADA["picture"])),
        ({"user_id": 114860529371639204518}, User("114860529371639204518", "Ada", "ada@example.com", ADA["picture"])),
        ({"name": ["Ada"], "email": 7}, User("user_1", "", "", ADA["picture"])),
        (
            {"picture": {"url": "https://img.example/b.png"}},
            User("user_1", "Ada", ADA["email"], "https://img.example/b.png"),
        ),
        (
            {"picture": {"data": {"url": "https://img.example/c.png"}}},
            User("user_1", "Ada", ADA["email"], "https://img.example/c.png"),
        ),
        ({"picture": {"url": "http://img.example/b.png"}}, User("user_1", "Ada", ADA["email"])),
        ({"picture": {"data": [1]}}, User("user_1", "Ada", ADA["email"])),
        ({"picture": 7}, User("user_1", "Ada", ADA["email"])),
    ],
)
@pytest.mark.parametrize("nested", [True, False])
async def test_odd_facts_of_an_account_lock_nobody_out(
    auth_ms: AuthMS, server: FaultServer, said: dict[str, object], user: User, nested: bool
) -> None:
    context = ADA | said
    server.behave(reply({"session_id": "s", "user_context": context} if nested else {"success": True, **context}))

    assert (await auth_ms.refresh(SESSION)).user == user


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("2026-12-31T00:00:00", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-12-31", datetime(2026, 12, 31, 12, tzinfo=UTC)),
        (1798675200, datetime(2026, 12, 31, tzinfo=UTC)),
        (1798675200000, datetime(2026, 12, 31, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00", None),
        ("soon", None),
        (True, None),
    ],
)
async def test_end_of_a_grant_in_another_form_is_read_or_unknown(
    auth_ms: AuthMS, server: FaultServer, said: object, until: datetime | None
) -> None:
    server.behave(reply({"session_id": "s", "user_context": ADA | PLAN | {"expires_at": said}}))

    assert (await auth_ms.refresh(SESSION)).grant == PlanGrant("active", "premium", until)


async def test_account_may_say_how_the_subscription_ends(auth_ms: AuthMS, server: FaultServer) -> None:
    end = {"cancel_at_period_end": True, "cancel_at": None}
    for context in (PLAN | end, {"projects": {"shop": PLAN | end}}):
        server.behave(reply({"session_id": "s", "user_context": ADA | context}))

        grant = (await auth_ms.refresh(SESSION)).grant

        assert grant is not None
        assert grant.lifecycle.ending


UNUSABLE = [
    reply({}),
    reply([]),
    reply(b"null"),
    reply({"session_id": "s"}),
    reply({"session_id": "s", "user_context": None}),
    reply({"session_id": "s", "user_context": {"name": "Ada"}}),
    reply({"session_id": "s", "user_context": ADA | {"user_id": ""}}),
    reply({"session_id": "s", "user_context": ADA | {"subscription_status": True}}),
    reply({"session_id": "s", "user_context": ADA | {"projects": {"shop": "premium"}}}),
    reply({"session_id": 5, "user_context": ADA}),
    reply({"success": "yes", "session_id": "s", **ADA}),
]


@pytest.mark.parametrize("answer", UNUSABLE)
async def test_answer_that_cannot_be_used_signs_nobody_out(
    auth_ms: AuthMS, server: FaultServer, answer: Behaviour
) -> None:
    server.behave(answer)

    with pytest.raises(SignInUnavailable) as caught:
        await auth_ms.refresh(SESSION)

    assert isinstance(caught.value.__cause__, UpstreamContractError)


async def test_new_session_must_have_an_id(auth_ms: AuthMS, server: FaultServer) -> None:
    server.behave(reply({"success": True, **ADA}))

    with pytest.raises(SignInUnavailable):
        await auth_ms.create("code-1")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
@pytest.mark.parametrize("body", ['{"error":"nope"}', "nope"])
async def test_refused_code_and_refused_session_are_told_apart(
    auth_ms: AuthMS, server: FaultServer, status: int, body: str
) -> None:
    server.behave(reply(body, status, content_type="text/plain"))

    with pytest.raises(SignInFailed):
        await auth_ms.create("code-1")
    with pytest.raises(NotSignedIn):
        await auth_ms.refresh(SESSION)


async def test_success_false_is_a_refusal(auth_ms: AuthMS, server: FaultServer) -> None:
    server.behave(reply({"success": False}))

    with pytest.raises(SignInFailed):
        await auth_ms.create("code-1")
    with pytest.raises(NotSignedIn):
        await auth_ms.refresh(SESSION)


@pytest.mark.parametrize("status", [404, 403, 401])
async def test_web_page_instead_of_an_answer_signs_nobody_out(
    auth_ms: AuthMS, server: FaultServer, status: int
) -> None:
    server.behave(reply("<html>", status, content_type="text/html"))

    with pytest.raises(SignInUnavailable):
        await auth_ms.refresh(SESSION)


@pytest.mark.parametrize("answer", [reply({}, 500), reply({}, 503), reply({}, 429), reply({}, 408), hang_up()])
async def test_failure_of_the_service_is_not_a_refusal_and_not_repeated(
    auth_ms: AuthMS, server: FaultServer, answer: Behaviour
) -> None:
    server.behave(answer)

    with pytest.raises(SignInUnavailable):
        await auth_ms.create("code-1")
    assert len(server.requests) == 1
    with pytest.raises(SignInUnavailable):
        await auth_ms.refresh(SESSION)


async def test_cause_and_advice_are_kept(auth_ms: AuthMS, server: FaultServer) -> None:
    server.behave(reply({}, 503, headers={"Retry-After": "7"}))

    with pytest.raises(SignInUnavailable) as caught:
        await auth_ms.create("code-1")

    assert isinstance(caught.value.__cause__, UpstreamFailed)
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("answer", [*UNUSABLE[:4], reply({}, 401), reply({}, 500), reply({"success": False})])
async def test_codes_and_sessions_are_in_no_log_and_no_error(
    auth_ms: AuthMS, server: FaultServer, answer: Behaviour
) -> None:
    server.behave(answer)
    told = []

    with capture_logs() as logs:
        for ask in (auth_ms.create("code_secret_1"), auth_ms.refresh(SESSION)):
            with pytest.raises(FrontendError) as caught:
                await ask
            told.append(f"{caught.value!r} {caught.value} {caught.value.__cause__!r}")

    assert logs
    assert "secret_1" not in json.dumps(logs, default=repr) + "".join(told)


FIELDS = st.sampled_from([*ADA, *PLAN, "projects", "shop", "session_id", "user_context", "success"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.sampled_from(["a", "\ud800"]))
CONTENT = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=6)),
    max_leaves=12,
)


@pytest.mark.faults("24 any JSON from the Auth MS")
@given(content=CONTENT, project=st.sampled_from(["", "shop"]))
@examples(2000)
def test_any_json_is_a_session_or_a_typed_error(content: object, project: str) -> None:
    reply = RawResponse(200, {"content-type": "application/json"}, json.dumps(content).encode())
    answer = read_response(reply, Call("auth_ms", "refresh", "req-1"))

    found: object
    try:
        found = read_session(answer, project, SESSION).user.user_id
    except UpstreamContractError as error:
        found = error.fields

    assert found
