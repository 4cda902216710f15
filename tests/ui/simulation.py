"""What tests of pages need: people with sessions in memory, and ways to press and read what the simulated user sees."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from nicegui.testing import User

from catalog import Catalog
from ui.nicegui_ext.html import Tag
from ui.page.site import Site

ROOT = Path(__file__).parent.parent.parent
Register = Callable[[Site], None]
Simulate = Callable[..., AbstractAsyncContextManager[User]]


@dataclass(frozen=True)
class Person:
    user_id: str
    name: str
    email: str


@dataclass(frozen=True)
class FakeSession:
    id: str
    visitor_id: str
    user: Person | None


@dataclass
class FakeSessions:
    """Sessions in memory: the cookie's value is the session's key. `failure` is raised instead when set."""

    sessions: dict[str, FakeSession] = field(default_factory=dict)
    failure: Exception | None = None
    cookie_name: str = "visitor"
    cookies_made: int = 0

    @property
    def cookie_attributes(self) -> Mapping[str, Any]:
        return {"httponly": True, "samesite": "lax", "path": "/"}

    async def find(self, cookie_value: str) -> FakeSession | None:
        if self.failure is not None:
            raise self.failure
        return self.sessions.get(cookie_value)

    def new_cookie(self) -> str:
        self.cookies_made += 1
        return f"new-{self.cookies_made}"


@dataclass
class FixedCatalog:
    current: Catalog


ADA = FakeSession("1", "v1", Person("user_ada", "Ada Lovelace", "ada@example.com"))
VISITOR = FakeSession("2", "v2", None)


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
