"""`python app.py check` on which money is meant, with `--live-checkout`, and in sandbox mode."""

from sandbox.launch import RunningSandbox
from tests.cli.installation import PRICE, Installation, closed_port
from tests.contract.mock_payment_ms import MockAnswer, MockPaymentMS, MockRequest


class TestWrongMoney:
    def test_sandbox_left_on_at_a_public_address(self, installation: Installation) -> None:
        with closed_port() as port:
            ports = {f"sandbox_{name}_port": str(port) for name in ("payment",)}
            installation.set(
                payment_ms_api_key="", payment_ms_url="", auth_ms_url="", public_url="https://pay.invalid", **ports
            )

            errors = installation.errors()

        assert errors.keys() == {"money", "public_url"}
        assert "the sandbox is on" in errors["money"]

    def test_test_mode_at_a_public_address(self, installation: Installation, payment_ms: MockPaymentMS) -> None:
        def in_test_mode(asked: MockRequest, right: MockAnswer) -> MockAnswer:
            return right.having(checkout_session_id="cs_test_1") if "/checkout/" in asked.path else right

        payment_ms.breakage = in_test_mode
        installation.set(public_url="https://pay.invalid", auth_ms_public_url="https://auth.invalid")

        errors = installation.errors("--live-checkout", PRICE)

        assert errors.keys() == {"money", "public_url"}
        assert "test mode (cs_test_…)" in errors["money"]

    def test_live_checkout_is_opened_once_and_only_when_asked_for(
        self, installation: Installation, payment_ms: MockPaymentMS
    ) -> None:
        code, found = installation.check("--live-checkout", PRICE)

        assert code == 0
        assert "asks for real money" in found["live_checkout"][1]
        [asked] = [asked for asked in payment_ms.asked if asked.method == "POST"]
        assert asked.path == "/api/v1/checkout/subscription"
        assert asked.body["price_id"] == PRICE
        assert asked.body["user_id"].startswith("check-")

    def test_live_checkout_that_leads_elsewhere(self, installation: Installation, payment_ms: MockPaymentMS) -> None:
        def elsewhere(asked: MockRequest, right: MockAnswer) -> MockAnswer:
            return right.having(checkout_url="https://evil.example/c") if "/checkout/" in asked.path else right

        payment_ms.breakage = elsewhere

        errors = installation.errors("--live-checkout", PRICE)

        assert errors.keys() == {"live_checkout"}
        assert "CHECKOUT_HOSTS" in errors["live_checkout"]

    def test_live_checkout_of_a_price_that_is_not_sold(
        self, installation: Installation, payment_ms: MockPaymentMS
    ) -> None:
        assert installation.errors("--live-checkout", "price_none").keys() == {"live_checkout"}
        assert [asked for asked in payment_ms.asked if asked.method == "POST"] == []


class TestInSandboxMode:
    def test_sandbox_that_is_not_running_is_no_fault(self, installation: Installation) -> None:
        with closed_port() as payment, closed_port() as auth:
            installation.set(
                payment_ms_api_key="",
                payment_ms_url="",
                auth_ms_url="",
                sandbox_payment_port=str(payment),
                sandbox_auth_port=str(auth),
            )

            code, found = installation.check()

        assert code == 0
        assert found["payment_ms"][0] == found["auth_ms"][0] == "skipped"
        assert found["clock"][0] == "skipped"

    def test_sandbox_that_runs_is_sound(self, installation: Installation, sandbox: RunningSandbox) -> None:
        installation.set(
            payment_ms_api_key="",
            payment_ms_url="",
            auth_ms_url="",
            sandbox_payment_port=sandbox.payment_ms_url.rpartition(":")[2],
            sandbox_auth_port=sandbox.auth_ms_url.rpartition(":")[2],
            sandbox_stripe_port=sandbox.stripe_url.rpartition(":")[2],
        )

        code, found = installation.check("--live-checkout", PRICE)

        assert code == 0
        assert {level for level, _ in found.values()} == {"ok"}
        assert "test mode" in found["live_checkout"][1]
