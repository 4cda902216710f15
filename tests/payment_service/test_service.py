"""The service as a whole: what it refuses to start with, what it says of itself, and how it answers what it can't."""

import time
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, inspect, select

from payment_service.database import AnswerRow, Base, EventRow, SessionRow, ToldRow
from payment_service.migrate import is_up_to_date, migrate
from payment_service.settings import BadSettings, ServiceSettings, load_service_settings, problems_of_serving
from payment_service.worker import Worker
from tests.payment_service.conftest import OpenShops, ServiceShop

GOOD: dict[str, Any] = {"stripe_secret_key": "sk_test_x", "stripe_webhook_secret": "whsec_x"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"stripe_secret_key": None}, "STRIPE_SECRET_KEY is not set"),
        ({"stripe_secret_key": "pk_test_x"}, "STRIPE_SECRET_KEY is no secret key"),
        ({"stripe_webhook_secret": ()}, "POLL_EVENTS"),
        ({"stripe_webhook_secret": "secret"}, "whsec_"),
        ({"stripe_api_base": "http://stripe.example.com"}, "STRIPE_API_BASE must be https"),
        ({"stripe_secret_key": "sk_live_x", "stripe_api_base": "http://127.0.0.1:4242"}, "it would be given away"),
        ({"app_events_url": "http://app/api/payment/events"}, "PAYMENT_MS_WEBHOOK_SECRET"),
        ({"payment_ms_api_key": "short"}, "PAYMENT_MS_API_KEY is too short"),
    ],
)
def test_settings_that_can_not_be_meant_are_refused_with_a_sentence(given: dict[str, Any], named: str) -> None:
    problems = list(problems_of_serving(ServiceSettings(_env_file=None, **{**GOOD, **given})))

    assert len(problems) == 1
    assert named in problems[0]


def test_good_settings_have_no_problems() -> None:
    assert list(problems_of_serving(ServiceSettings(_env_file=None, **GOOD))) == []


def test_secrets_come_from_files(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("STRIPE_SECRET_KEY", "sk_test_of_a_file\n"), ("STRIPE_WEBHOOK_SECRET", "whsec_a,whsec_b\n")):
        (tmp_path / name).write_text(text)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    settings = load_service_settings(_env_file=None)

    assert settings.stripe_secret_key is not None
    assert settings.stripe_secret_key.get_secret_value() == "sk_test_of_a_file"
    assert [secret.get_secret_value() for secret in settings.stripe_webhook_secret] == ["whsec_a", "whsec_b"]
    monkeypatch.setenv("STRIPE_SECRET_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(BadSettings, match="can't be read"):
        load_service_settings(_env_file=None)


def test_live_key_does_not_open_a_database_of_test_mode(open_shop: OpenShops) -> None:
    open_shop()

    with pytest.raises(BadSettings, match="a database of its own"):
        open_shop(stripe_secret_key="sk_live_of_the_tests")


def test_stripe_is_never_asked_inside_a_transaction(shop: ServiceShop) -> None:
    with shop.service.database.writing(), pytest.raises(RuntimeError, match="inside a transaction"):
        shop.service.stripe.look()

    assert shop.stripe.log == []


def test_no_secret_is_in_what_settings_print() -> None:
    settings = ServiceSettings(_env_file=None, **GOOD, database_url="postgresql://u:geheim@h/d")

    assert "sk_test_x" not in repr(settings)
    assert "geheim" not in repr(settings)
    assert settings.sqlalchemy_url.startswith("postgresql+psycopg://")


def test_health_is_what_was_seen(shop: ServiceShop) -> None:
    shop.service.stripe.look()
    told = shop.http.get("/health", headers={"X-API-Key": ""}).json()
    assert (told["status"], told["contract"]["version"], told["livemode"]) == ("healthy", 2, False)
    assert told["last_event_age"] is None
    shop.paid(shop.buy().json()["checkout_session_id"])
    assert shop.http.get("/health").json()["last_event_age"] < 60
    shop.stripe.broken = lambda call: 401
    with pytest.raises(Exception, match="broken"):
        shop.service.stripe.look()

    told = shop.http.get("/health").json()

    assert (told["status"], told["stripe"]) == ("degraded", {"ok": False, "problem": "it refuses the key"})


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/nothing", 404, "NOT_FOUND"),
        ("get", "/api/v1/portal", 405, "METHOD_NOT_ALLOWED"),
        ("get", "/api/v1/subscriptions/a%2Fb", 400, "INVALID_URL"),
    ],
)
def test_paths_that_are_none_are_json_too(shop: ServiceShop, method: str, path: str, status: int, code: str) -> None:
    answer = getattr(shop.http, method)(path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["meta"]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(("path", "size"), [("/api/v1/portal", 70_000), ("/webhooks/stripe", 1_100_000)])
def test_bodies_have_a_largest_size(shop: ServiceShop, path: str, size: int) -> None:
    answer = shop.http.post(path, content=b" " * size, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")


def test_encoded_ids_are_one_id(shop: ServiceShop) -> None:
    shop.paid(shop.buy("a+b@example.com").json()["checkout_session_id"])

    told = shop.http.get("/api/v1/subscriptions/a%2Bb%40example.com").json()["subscriptions"]
    assert [one["product_id"] for one in told] == ["prod_pro"]


def test_metrics_name_nobody(shop: ServiceShop) -> None:
    shop.paid(shop.buy("somebody@example.com").json()["checkout_session_id"])
    shop.status("somebody@example.com")

    text = shop.http.get("/metrics").text
    assert 'route="/api/v1/subscriptions/{user_id}/{product_id}"' in text
    assert "somebody" not in text
    assert "sub_" not in text


def test_migrations_make_the_tables_of_the_code(shop: ServiceShop) -> None:
    tables = inspect(shop.service.database.engine)

    assert is_up_to_date(shop.service.database)
    for name, table in Base.metadata.tables.items():
        assert {column["name"] for column in tables.get_columns(name)} == set(table.columns.keys())
        assert {index["name"] for index in tables.get_indexes(name)} >= {index.name for index in table.indexes}
    migrate(shop.service.database)


def test_what_nobody_asks_for_any_more_is_dropped(shop: ServiceShop) -> None:
    def kept() -> list[int]:
        with shop.service.database.reading() as session:
            return [session.scalar(select(func.count()).select_from(row)) or 0 for row in rows]

    rows = (SessionRow, AnswerRow, EventRow, ToldRow)
    shop.paid(shop.buy(key="one").json()["checkout_session_id"])
    shop.tell()
    worker = Worker(shop.service)
    worker.tidy()
    before = kept()
    with time_machine.travel(time.time() + 91 * 86400):
        worker.tidy()

    assert (before, kept()) == ([1, 1, 1, 1], [0, 0, 0, 0])
    assert shop.status()["exists"]
