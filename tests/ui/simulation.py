"""What tests of pages need: people with sessions in memory, and ways to press and read what the simulated user sees."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from nicegui.testing import User
from pydantic import SecretStr

from catalog import Catalog
from services.auth_ms import User as SignedInUser
from services.container import Container
from services.errors import UpstreamUnavailable
from services.live_status.schedule import Scope
from services.live_status.service import StatusService
from services.sessions.service import Session, Sessions, Visitor
from settings import Settings
from ui.nicegui_ext.html import Tag
from wiring.build import build

ROOT = Path(__file__).parent.parent.parent
Register = Callable[[Container], None]
Simulate = Callable[..., AbstractAsyncContextManager[User]]


@dataclass
class FakeSessions:
    """Sessions in memory: the cookie's value is the session's key. `failure` is raised instead when set."""

    sessions: dict[str, Session | Visitor] = field(default_factory=dict)
    failure: Exception | None = None
    cookie_name: str = "visitor"
    cookies_made: int = 0

    @property
    def cookie_attributes(self) -> Mapping[str, Any]:
        return {"httponly": True, "samesite": "lax", "path": "/"}

    async def find(self, cookie_value: str) -> Session | Visitor | None:
        if self.failure is not None:
            raise self.failure
        return self.sessions.get(cookie_value)

    def new_cookie(self) -> str:
        self.cookies_made += 1
        return f"new-{self.cookies_made}"


@dataclass
class FixedCatalog:
    """The catalog in force; a test puts another one into force."""

    current: Catalog
    problem: str | None = None


class NothingKnown:
    """Stands for the live status while nobody can be asked and nothing is remembered."""

    @property
    def refresher(self) -> "NothingKnown":
        return self

    def customer_of(self, session: Session) -> str:
        return session.user.user_id

    async def remembered(self, customer: str) -> None:
        return None

    async def ask(self, session: Session, scope: Scope = "relevant", *, fresh: bool = False) -> None:
        raise UpstreamUnavailable("payment_ms", "subscription", "nobody is there")


ADA = Session(
    id="1", user=SignedInUser("user_ada", "Ada Lovelace", "ada@example.com"), auth_session_id=SecretStr("auth"),
    created_at=datetime(2026, 11, 1, tzinfo=UTC), validated_at=datetime(2026, 11, 1, tzinfo=UTC),
)  # fmt: skip
VISITOR = Visitor("2")


def container_with(settings: Settings, sessions: FakeSessions, catalog: Catalog) -> Container:
    """Return a container whose sessions and catalog are a test's, and whose live status knows nothing."""
    made = build(settings).container
    return replace(
        made,
        sessions=cast(Sessions, sessions),
        catalogs=FixedCatalog(catalog),
        status=cast(StatusService, NothingKnown()),
    )


def sell(container: Container, catalog: Catalog) -> None:
    """Put another catalog into force."""
    assert isinstance(container.catalogs, FixedCatalog)
    container.catalogs.current = catalog


def sign_in(user: User, cookie: str = "ada") -> None:
    """Let the simulated browser hold this session cookie."""
    user.http_client.cookies.set("visitor", cookie)


def press(user: User, testid: str) -> None:
    """Press the button of this test id, as `click` over the socket does."""
    user.find(marker=testid).trigger("click.prevent")


def the(user: User, testid: str) -> Tag:
    """Return the one element of this test id."""
    elements = user.find(marker=testid).elements
    assert len(elements) == 1, f"{len(elements)} elements are {testid}"
    return cast(Tag, next(iter(elements)))


def texts(element: Tag) -> str:
    """Return all texts in an element, in order, as one line."""
    found = [child.text for child in [element, *element.descendants()] if isinstance(child, Tag) and child.text]
    return " ".join(" ".join(found).split())
