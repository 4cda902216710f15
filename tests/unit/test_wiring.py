"""The parts as `wiring` puts them together: what is tested piece by piece is what runs."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from services.auth_ms import User
from services.container import Container
from services.sessions.service import Session
from services.upstream.responses import Call, RawResponse
from services.upstream.transport import Transport
from settings import Settings, load_settings
from wiring.build import build

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@asynccontextmanager
async def container_of(folder: Path, **values: Any) -> AsyncIterator[Container]:
    running = build(load_settings(_env_file=None, storage_path=str(folder / "store.sqlite3"), **values))
    try:
        yield running.container
    finally:
        await running.stop()


def session(user_id: str, email: str, first_email: str) -> Session:
    return Session(
        id=f"session-{user_id}", user=User(user_id, "Ada", email), auth_session_id=SecretStr("x"), created_at=NOW,
        validated_at=NOW, first_email=first_email,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("customer_id", "customer"), [("user_id", lambda one: one.user.user_id), ("email", lambda one: one.first_email)]
)
async def test_a_customer_stays_the_same_when_their_address_changes(
    tmp_path: Path, customer_id: str, customer: Callable[[Session], str]
) -> None:
    renamed = session("ada", "new@example.com", "ada@example.com")

    async with container_of(tmp_path, customer_id=customer_id) as container:
        assert container.refresher.customer_of(renamed) == customer(renamed)


async def test_people_without_an_address_share_nothing(tmp_path: Path) -> None:
    async with container_of(tmp_path, customer_id="email") as container:
        customers = {container.refresher.customer_of(session(name, "", "")) for name in ("ada", "bob")}

    assert len(customers) == 2
    assert "" not in customers


class HealthOnly(Transport):
    """A Payment MS that says which features of the contract's second version it has."""

    def __init__(self, *features: str) -> None:
        told = {"status": "healthy", "service": "payment", "contract": {"version": 2, "features": list(features)}}
        self._body = json.dumps(told).encode()

    async def send(
        self, call: Call, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> RawResponse:
        return RawResponse(200, {"content-type": "application/json"}, self._body)

    async def aclose(self) -> None:
        """There is nothing to close."""


def production(folder: Path, **values: object) -> Settings:
    """Settings as where money moves."""
    return load_settings(
        _env_file=None, storage_path=str(folder / "store.sqlite3"), payment_ms_api_key=SecretStr("proj_" + "k7Qz0" * 9),
        storage_secret=SecretStr("Zk3v9Qm1Xw7Lr5Tn8Bc2Hd6Jf4Gs0Py1"), **values,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "features", "offered"),
    [
        (None, [], False), (None, ["trial_days"], True),
        (False, ["trial_days"], False), (True, [], True),
    ],
)  # fmt: skip
async def test_the_operator_decides_whether_trials_are_offered_and_else_the_service(
    tmp_path: Path, setting: bool | None, features: list[str], offered: bool
) -> None:
    settings = production(tmp_path, payment_ms_gives_trials=setting)
    running = build(settings, payment_transport=HealthOnly(*features))
    try:
        with structlog.testing.capture_logs() as lines:
            await running.contract_watch.look()
        prices = [price for plan in running.container.catalog.plans for price in plan.prices.values()]
        assert any(price.trial_days for price in prices) is offered
        assert ("trials_not_offered" in [line["event"] for line in lines]) is not offered
    finally:
        await running.stop()


@pytest.mark.parametrize(("bound", "features", "warned"), [(1, [], 0), (2, [], 1), (32, ["concurrency"], 0)])
async def test_a_bound_that_the_service_is_not_known_to_bear_is_warned_of_once(
    tmp_path: Path, bound: int, features: list[str], warned: int
) -> None:
    settings = production(tmp_path, payment_ms_max_in_flight=bound)
    running = build(settings, payment_transport=HealthOnly(*features))
    try:
        with structlog.testing.capture_logs() as lines:
            await running.contract_watch.look()
            await running.contract_watch.look()
    finally:
        await running.stop()

    assert [line["event"] for line in lines].count("payment_ms_bound_too_high") == warned
