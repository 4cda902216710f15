"""Whatever JSON the Payment MS answers, every reader returns a record or a typed error."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import UpstreamContractError
from services.payment_responses import read_checkout, read_health, read_portal, read_registration, read_subscription
from services.upstream.responses import Call, RawResponse, UpstreamResponse, read_response
from tests.examples import examples

pytestmark = pytest.mark.slow

READERS: dict[str, Callable[[UpstreamResponse], object]] = {
    "checkout": read_checkout,
    "portal": read_portal,
    "health": read_health,
    "registration": read_registration,
    "subscription": lambda answer: read_subscription(answer, "prod_1"),
}
STATUS = ("exists", "status", "subscription_id", "stripe_subscription_id", "current_period_end", "period_end")
SESSIONS = ("url", "portal_url", "portal_session_id", "checkout_session_id", "checkout_url", "customer_id")
OTHERS = ("success", "products", "error", "existing_product_id", "plan_name", "prices", "timestamp", "service")
FIELDS = st.sampled_from([*STATUS, *SESSIONS, *OTHERS, "cancel_at_period_end", "stripe_product_id"])
TEXTS = st.sampled_from(["none", "active", "", "sub_1", "2026-12-23T20:15:23Z", "0001-01-01T00:00:00Z", "\ud800"])
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20), TEXTS)
FLAT = st.dictionaries(FIELDS, SCALARS, max_size=8)
DEEP = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=5)),
    max_leaves=8,
)


@pytest.mark.faults("14, 19 any JSON from the Payment MS")
@pytest.mark.parametrize("name", READERS)
@given(content=st.one_of(FLAT, DEEP), status=st.sampled_from([200, 201, 409]))
@examples(1000)
def test_any_json_is_read_or_is_a_typed_error(name: str, content: object, status: int) -> None:
    reply = RawResponse(status, {"content-type": "application/json"}, json.dumps(content).encode())
    answer = read_response(reply, Call("payment_ms", name, "req-1"))

    try:
        found = READERS[name](answer)
    except UpstreamContractError as error:
        found = error.fields

    assert found


@given(content=FLAT)
@examples(2000)
def test_none_is_only_ever_read_where_it_was_said(content: dict[str, object]) -> None:
    reply = RawResponse(200, {"content-type": "application/json"}, json.dumps(content).encode())
    answer = read_response(reply, Call("payment_ms", "subscription", "req-1"))

    try:
        record = read_subscription(answer, "prod_1")
    except UpstreamContractError:
        return

    said_none = content.get("exists") is False or ("exists" not in content and content.get("status") == "none")
    assert record.exists is not said_none
