"""The parts as `wiring` puts them together: what is tested piece by piece is what runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.auth_ms import User
from services.container import Container
from services.sessions.service import Session
from settings import load_settings
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
