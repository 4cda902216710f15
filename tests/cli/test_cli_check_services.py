"""`python app.py check` with one of the two services broken: that is named, with its cure, and nothing else."""

import json
import re
from datetime import timedelta
from pathlib import Path

from sandbox.payment.openapi import OPENAPI
from services.storage.sqlite_store import SqliteStore
from tests.cli.installation import PRICE, Installation, Site, closed_port
from tests.contract.mock_payment_ms import KEY, MockAnswer, MockPaymentMS, MockRequest, html


class TestBrokenPaymentMS:
    def test_name_that_can_not_be_resolved(self, installation: Installation) -> None:
        installation.set(payment_ms_url="http://payment.invalid:9000")

        errors = installation.errors()

        assert errors.keys() == {"payment_ms"}
        assert "payment.invalid can't be resolved" in errors["payment_ms"]

    def test_page_where_the_service_should_be(self, installation: Installation, payment_ms: MockPaymentMS) -> None:
        payment_ms.breakage = lambda asked, right: html()

        errors = installation.errors()

        assert errors.keys() == {"payment_ms"}
        assert "Something other than the Payment MS answers there: correct PAYMENT_MS_URL" in errors["payment_ms"]

    def test_service_that_fails(self, installation: Installation, payment_ms: MockPaymentMS) -> None:
        payment_ms.breakage = lambda asked, right: (
            MockAnswer(500, b"", "text/plain") if asked.path == "/health" else right
        )

        errors = installation.errors()

        assert errors.keys() == {"payment_ms"}
        assert "answered 500" in errors["payment_ms"]

    def test_service_that_calls_itself_sick(self, installation: Installation, payment_ms: MockPaymentMS) -> None:
        payment_ms.breakage = lambda asked, right: right.having(status="sick") if asked.path == "/health" else right

        assert installation.errors().keys() == {"payment_ms"}

    def test_wrong_key_is_told_and_not_shown(self, installation: Installation) -> None:
        installation.set(payment_ms_api_key="proj_" + "w" * 43)

        errors = installation.errors()

        assert errors.keys() == {"payment_ms_key"}
        assert "refuses our key (401)" in errors["payment_ms_key"]
        assert "PAYMENT_MS_API_KEY" in errors["payment_ms_key"]
        assert "restart it" in errors["payment_ms_key"]
        assert "wwww" not in errors["payment_ms_key"]

    def test_a_key_that_the_service_does_not_know_yet(self, installation: Installation) -> None:
        installation.set(payment_ms_api_key="proj_" + "w" * 43, payment_ms_api_key_previous=KEY)

        code, found = installation.check()

        level, words = found["payment_ms_key"]
        assert (code, level) == (0, "warning")
        assert "refuses PAYMENT_MS_API_KEY and takes PAYMENT_MS_API_KEY_PREVIOUS" in words

    def test_status_answer_of_another_shape(self, installation: Installation, payment_ms: MockPaymentMS) -> None:
        def other(asked: MockRequest, right: MockAnswer) -> MockAnswer:
            return MockAnswer(200, {"subscribed": False}) if "/subscriptions/" in asked.path else right

        payment_ms.breakage = other

        errors = installation.errors()

        assert errors.keys() == {"payment_ms_key"}
        assert "python -m contract" in errors["payment_ms_key"]

    def test_missing_call_and_field_in_its_description(
        self, installation: Installation, payment_ms: MockPaymentMS
    ) -> None:
        document = json.loads(json.dumps(OPENAPI))
        del document["paths"]["/api/v1/portal"]
        del document["components"]["schemas"]["CheckoutResponse"]["properties"]["checkout_url"]
        payment_ms.breakage = lambda asked, right: MockAnswer(200, document) if asked.path == "/openapi.json" else right

        errors = installation.errors()

        assert errors.keys() == {"payment_ms_openapi"}
        assert "POST /api/v1/portal." in errors["payment_ms_openapi"]
        assert "/api/v1/checkout/subscription: answer field checkout_url;" in errors["payment_ms_openapi"]

    def test_clock_an_hour_ahead(self, installation: Installation, payment_ms: MockPaymentMS) -> None:
        payment_ms.ahead = timedelta(hours=1)

        errors = installation.errors()

        assert errors.keys() == {"clock"}
        assert re.search(r"the Payment MS is (3600|3599) s ahead", errors["clock"])

    def test_key_is_not_tried_while_the_app_may_be_asking_too(
        self, installation: Installation, payment_ms: MockPaymentMS
    ) -> None:
        path = installation.folder / ".data" / "store.sqlite3"
        store = SqliteStore(path)

        code, found = installation.check("--live-checkout", PRICE)
        _, asked_anyway = installation.check("--while-running")
        store._file.close()

        assert code == 0
        assert found["payment_ms_key"][0] == found["live_checkout"][0] == "skipped"
        assert found["storage"] == (
            "ok",
            f"{Path('.data/store.sqlite3')} is in use by a running app, so it was not written to.",
        )
        assert asked_anyway["payment_ms_key"][0] == "ok"
        assert sum(asked.path.startswith("/api") for asked in payment_ms.asked) == 1


class TestBrokenAuthMS:
    def test_nobody_there(self, installation: Installation) -> None:
        with closed_port() as port:
            installation.set(auth_ms_url=f"http://127.0.0.1:{port}")

            errors = installation.errors()

        assert errors.keys() == {"auth_ms"}
        assert "correct AUTH_MS_URL" in errors["auth_ms"]

    def test_something_else_there(self, installation: Installation, app: Site) -> None:
        installation.set(auth_ms_url=app.url)

        errors = installation.errors()

        assert errors.keys() == {"auth_ms"}
        assert "AUTH_MS_URL" in errors["auth_ms"]
