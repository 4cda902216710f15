"""Pages in NiceGUI's user simulation: no browser, no port, about a tenth of a second a test.

How it works with our pages, for whoever writes more of them:

- `simulate(container, home.register, ...)` starts the simulation and registers the pages in it.
  It yields NiceGUI's `User`.
- `user.open(path)` follows redirects and wants 200. For error pages, headers and HTML use `user.http_client.get(path)`.
- Elements are found by their `data-testid`: `user.find(marker="subscribe-basic")`. Their attributes are in `.props`.
- NiceGUI's `.click()` looks for listeners of `click`; ours are `click.prevent`. Use
  `press(user, testid)` of `tests/ui/simulation.py`.
- Who is signed in is decided by the cookie of the fake sessions: `sign_in(user, "ada")`, there too.
"""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nicegui import Client, app
from nicegui.testing import User, user_simulation

from catalog import load_catalog
from services.container import Container
from settings import Settings, load_settings
from tests.ui.simulation import ADA, ROOT, VISITOR, FakeSessions, Register, Simulate, container_with


@pytest.fixture(autouse=True)
def only_the_simulation_is_garbage() -> None:
    """Let NiceGUI's simulation, which collects garbage twice, not walk through all that was there before it."""
    gc.freeze()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        _env_file=None,
        storage_path=str(tmp_path / "store.sqlite3"),
        public_url="http://localhost:8081",
        terms_url="https://example.com/terms",
        support_url="mailto:help@example.com",
    )


@pytest.fixture
def container(settings: Settings) -> Container:
    sessions = FakeSessions({"ada": ADA, "visitor": VISITOR})
    return container_with(settings, sessions, load_catalog(ROOT / "products.json"))


@pytest.fixture
def simulate() -> Iterator[Simulate]:
    handlers = dict(app.exception_handlers)

    @asynccontextmanager
    async def start(container: Container, *pages: Register) -> AsyncIterator[User]:
        async with user_simulation() as user:
            for register in pages:
                register(container)
            try:
                yield user
            finally:
                # NiceGUI would forget the modules of the pages it knows, and the next test would import them anew.
                Client.page_routes.clear()

    yield start
    app.exception_handlers.clear()
    app.exception_handlers.update(handlers)
