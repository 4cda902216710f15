"""The parts of `check` that need no sockets: descriptions, clocks, cookies, causes, and how findings are shown."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import JsonValue

from cli.check_clock import look_at_clock
from cli.check_openapi import look_at_openapi
from cli.check_public import look_at_cookies
from cli.explain import explain
from cli.findings import Level, as_text, error, ok, skipped, warning
from sandbox.payment.openapi import OPENAPI
from services.errors import SignInUnavailable, UpstreamUnavailable
from services.upstream.outcomes import CallOutcome
from settings import load_settings

SUBSCRIPTION = "/api/v1/checkout/subscription"


def described(change: Callable[[dict[str, Any]], object]) -> dict[str, JsonValue]:
    """The sandbox's description with one change."""
    document = copy.deepcopy(OPENAPI)
    change(document)
    return document


def schemas(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]
    return found


class TestDescription:
    def test_sandboxs_description_has_all_we_need(self) -> None:
        assert look_at_openapi(OPENAPI).level is Level.OK

    def test_parameters_may_have_other_names(self) -> None:
        path = "/api/v1/subscriptions/{user_id}/{product_id}"
        document = described(lambda d: d["paths"].update({"/api/v1/subscriptions/{id}/{p}": d["paths"].pop(path)}))

        assert look_at_openapi(document).level is Level.OK

    def test_other_shapes_of_a_status_will_do(self) -> None:
        names = dict.fromkeys(("status", "stripe_subscription_id", "period_end"), "string")
        document = described(lambda d: schemas(d)["SubscriptionStatus"].update(properties=names))

        assert look_at_openapi(document).level is Level.OK

    def test_fields_may_come_from_several_schemas(self) -> None:
        def split(document: dict[str, Any]) -> None:
            whole = schemas(document).pop("CheckoutResponse")
            schemas(document)["Base"] = whole
            schemas(document)["CheckoutResponse"] = {"allOf": [{"$ref": "#/components/schemas/Base"}, {}]}

        assert look_at_openapi(described(split)).level is Level.OK

    def test_field_that_we_do_not_send_but_is_required_is_named(self) -> None:
        document = described(lambda d: schemas(d)["SubscriptionCheckoutRequest"]["required"].append("tenant"))

        finding = look_at_openapi(document)

        assert finding.level is Level.ERROR
        assert f"{SUBSCRIPTION}: request field tenant, which we don't send, is required" in finding.detail

    def test_field_that_it_does_not_take_is_named(self) -> None:
        document = described(lambda d: schemas(d)["PortalRequest"]["properties"].pop("return_url"))

        assert "/api/v1/portal: request field return_url" in look_at_openapi(document).detail

    def test_item_may_ask_for_the_product_that_we_send_though_its_documents_leave_it_out(self) -> None:
        document = described(lambda d: schemas(d)["ItemCheckoutRequest"]["required"].append("product_id"))

        assert look_at_openapi(document).level is Level.OK

    def test_wrong_method_is_a_missing_call(self) -> None:
        document = described(lambda d: d["paths"][SUBSCRIPTION].update(put=d["paths"][SUBSCRIPTION].pop("post")))

        assert f"POST {SUBSCRIPTION}" in look_at_openapi(document).detail

    def test_answer_that_is_not_described_is_a_warning(self) -> None:
        document = described(lambda d: d["paths"]["/api/v1/portal"]["post"]["responses"].update({"200": {}}))

        finding = look_at_openapi(document)

        assert finding.level is Level.WARNING
        assert "/api/v1/portal: no description of the answer" in finding.detail

    @pytest.mark.parametrize(
        "document",
        [
            {},
            {"paths": []},
            {"paths": {SUBSCRIPTION: None}},
            {"paths": {SUBSCRIPTION: {"post": {"requestBody": {"$ref": "#/requestBody"}, "responses": [1]}}}},
            {"paths": {SUBSCRIPTION: {"post": {"requestBody": {"$ref": "#/paths/~1api"}, "responses": {"200": 1}}}}},
        ],
    )
    def test_nonsense_lacks_everything_and_breaks_nothing(self, document: dict[str, JsonValue]) -> None:
        assert look_at_openapi(document).level is Level.ERROR

    def test_schema_that_holds_itself_ends(self) -> None:
        loop = {"allOf": [{"$ref": "#/components/schemas/CheckoutResponse"}]}
        document = described(lambda d: schemas(d).update(CheckoutResponse=loop))

        assert look_at_openapi(document).level is Level.WARNING


class TestClock:
    @pytest.mark.parametrize(
        ("ahead", "level"),
        [({"a": 0.0}, Level.OK), ({"a": -4.9}, Level.OK), ({"a": 6.0}, Level.WARNING), ({"a": -61.0}, Level.ERROR)],
    )
    def test_level_grows_with_the_difference(self, ahead: dict[str, float | None], level: Level) -> None:
        assert look_at_clock(ahead).level is level

    def test_both_services_off_by_the_same_means_this_machine(self) -> None:
        finding = look_at_clock({"the Payment MS": -300.0, "the Auth MS": -302.0})

        assert "the Payment MS is 300 s behind and the Auth MS is 302 s behind" in finding.detail
        assert "Synchronise this machine's clock" in finding.cure

    def test_one_service_off_is_named(self) -> None:
        finding = look_at_clock({"the Payment MS": 300.0, "the Auth MS": 0.0})

        assert "the Auth MS" not in finding.detail
        assert "the clock of the Payment MS" in finding.cure

    def test_nobody_who_told_the_time_is_skipped(self) -> None:
        assert look_at_clock({"the Payment MS": None, "the Auth MS": None}).level is Level.SKIPPED


class TestCookies:
    GOOD = "__Host-session=a.b; Secure; HttpOnly; SameSite=Lax; Path=/"

    @pytest.mark.parametrize(
        ("cookie", "missing"),
        [
            (GOOD, ""),
            (GOOD.replace(" HttpOnly;", ""), "HttpOnly"),
            (GOOD.replace(" Secure;", ""), "Secure"),
            (GOOD.replace("SameSite=Lax", "SameSite=None"), "SameSite=Lax"),
            (GOOD.replace("Path=/", "Path=/app"), "Path=/"),
            (GOOD.replace("__Host-", ""), "the prefix __Host-"),
            ("balancer=replica1; Secure; HttpOnly", ""),
            ("balancer=replica1; HttpOnly", "Secure"),
        ],
    )
    def test_flag_that_is_missing_under_https_is_named(
        self, cookie: str, missing: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(str(tmp_path))
        settings = load_settings(public_url="https://pay.example.com")

        [finding] = look_at_cookies([cookie], settings)

        assert finding.level is (Level.ERROR if missing else Level.OK)
        assert missing in finding.detail


def test_causes_that_come_through_the_sign_in_client_are_told_too() -> None:
    unavailable = SignInUnavailable("auth_ms refresh: dns")
    unavailable.__cause__ = UpstreamUnavailable("auth_ms", "refresh", "ConnectError", reason=CallOutcome.DNS)

    what, cure = explain(unavailable, "Auth MS", "AUTH_MS_URL")

    assert what == "Auth MS: its name can't be resolved."
    assert cure == "Correct AUTH_MS_URL, or the name service."


def test_every_end_of_a_call_that_is_no_answer_is_explained() -> None:
    answers = {CallOutcome.OK, CallOutcome.REJECTED, CallOutcome.KEY_REJECTED}  # the last has an error of its own
    for outcome in set(CallOutcome) - answers:
        failed = UpstreamUnavailable("payment_ms", "checkout", "500 STRIPE_ERROR", reason=outcome)

        what, cure = explain(failed, "Payment MS", "PAYMENT_MS_URL")

        assert not what.startswith(f"Payment MS: {outcome}."), outcome
        assert cure, outcome


def test_lines_are_counted_at_the_end() -> None:
    bad = error("d", "Bad.", "Mend it.")
    text = as_text([ok("a", "Good."), skipped("bb", "Not seen."), warning("c", "Odd."), bad, error("e", "Bad.")])

    assert text.splitlines() == [
        "ok       a   Good.",
        "skipped  bb  Not seen.",
        "warning  c   Odd.",
        "ERROR    d   Bad. Mend it.",
        "ERROR    e   Bad.",
        "1 ok, 1 skipped, 1 warning, 2 errors.",
    ]
