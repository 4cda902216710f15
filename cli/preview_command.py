"""``python app.py preview``: a draft of the catalog beside today's, before anybody else sees it.

The cards in every language on a local port, or as pictures, and a list of what changes for whom. It changes nothing,
and nothing can be bought there.
"""

import argparse
import asyncio
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn
from pydantic import SecretStr

from catalog import Catalog, CatalogError, load_catalog
from cli.listen import PortUnusable, listen
from cli.person_command import catalog_now, people_in
from cli.preview_changes import changes_between
from cli.preview_pictures import NO_BROWSER, SIZES, find_browser, take_pictures
from cli.quiet import quiet_logs
from cli.store_schema import require_readable
from cli.stored import open_to_read
from services.errors import StoreUnavailable
from settings import Settings, load_settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

PORT: Final = 8090
UNREAD: Final = "take care: the store can't be read, so nobody was counted who has a plan."


def add_preview(commands: "Commands") -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser("preview", help="a draft of the catalog beside today's, and what it changes for whom")
    parser.add_argument("draft", metavar="DRAFT", help="the draft, a file as products.json")
    parser.add_argument("--port", type=int, default=PORT, help="where to serve the preview on this machine")
    parser.add_argument("--changes", action="store_true", help="print what changes, and serve nothing")
    parser.add_argument("--pictures", metavar="FOLDER", help="save pictures of it in every language, and end")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    settings, now = load_settings(), datetime.now(UTC)
    try:
        written = load_catalog(options.draft)
    except CatalogError as problem:
        print(problem, file=sys.stderr)
        return 1
    draft = written.in_force(now, trials=bool(settings.payment_ms_gives_trials), shop=settings.shop)
    today = catalog_now(settings, now)
    with quiet_logs():
        held = asyncio.run(_holders(settings))
    changes = [str(change) for change in changes_between(today, draft, held or {})]
    changes += [UNREAD] if held is None else []
    print("\n".join(changes))
    if options.changes:
        return 0
    browser = find_browser() if options.pictures else None
    if options.pictures and browser is None:
        print(NO_BROWSER, file=sys.stderr)
        return 1
    pictures = (browser, Path(options.pictures)) if browser is not None else None
    try:
        return serve(settings, options.port, today, draft, changes, pictures)
    except PortUnusable as problem:
        print(problem, file=sys.stderr)
        return 1


async def _holders(settings: Settings) -> Mapping[str, int] | None:
    """Return of how many people billing has a subscription to each product on record; None where nobody can read."""
    with ExitStack() as copied:
        try:
            store = open_to_read(settings, copied)
        except StoreUnavailable:
            return None
        try:
            await require_readable(store)
            people, held = people_in(store, settings), Counter[str]()
            for customer in await people.customers():
                snapshot = await people.answers(customer)
                held.update(snapshot.products_on_record if snapshot is not None else ())
            return held
        except StoreUnavailable:
            return None
        finally:
            await store.close()


class _PreviewServer(uvicorn.Server):
    """Begins something once pages can be asked for."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], Coroutine[None, None, None]]) -> None:
        super().__init__(config)
        self._began: asyncio.Task[None] | None = None
        self._when_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._began = asyncio.create_task(self._when_started(), name="preview pictures")


def serve(
    settings: Settings,
    port: int,
    today: Catalog,
    draft: Catalog,
    changes: Sequence[str],
    pictures: tuple[str, Path] | None,
) -> int:
    """Serve the preview until a signal comes, or until the pictures are made; return the exit code."""
    from ui.pages.operators import preview
    from ui.text.i18n import offered
    from wiring.build import build
    from wiring.web import application

    made: list[Path] = []
    with tempfile.TemporaryDirectory() as folder:
        alone = settings.model_copy(
            update={
                "host": "127.0.0.1", "port": port, "public_url": f"http://localhost:{port}", "redis_url": None,
                "storage_path": str(Path(folder) / "store.sqlite3"), "webhooks_path": "", "notice_file": "",
                "storage_secret": settings.storage_secret or SecretStr("p" * 32), "trusted_proxies": (),
            }
        )  # fmt: skip
        listener = listen(alone)
        address = f"{alone.public_url}{preview.PATH}"
        with quiet_logs():
            running = build(
                alone.model_copy(update={"selling": False})
            )  # the cards look as they will, and sell nothing
            preview.register(replace(running.container, settings=alone), today, draft, changes)
            config = uvicorn.Config(application(running), log_config=None, access_log=False)

            async def take() -> None:
                if pictures is None:
                    return
                browser, into = pictures
                try:
                    made.extend(await asyncio.to_thread(take_pictures, browser, address, offered(alone).locales, into))
                except OSError as error:
                    print(f"No pictures were made: {error}", file=sys.stderr)
                finally:
                    server.should_exit = True

            server = _PreviewServer(config, take)
            if pictures is None:
                print(f"Open {address}", flush=True)
            server.run([listener])
        listener.close()
    if pictures is None:
        return 0
    wanted = len(offered(alone).locales) * len(SIZES)
    print(f"{len(made)} of {wanted} pictures in {pictures[1]}")
    return 0 if len(made) == wanted else 1
