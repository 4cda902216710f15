"""The public pages on a real port with sessions in memory: `python -m tests.ui.served PORT`, for tests in Chromium."""

import asyncio
import sys
from pathlib import Path

from nicegui import app, ui

from api.security import SecurityHeaders
from catalog import Interval, load_catalog
from services.container import Container
from services.observability.logs import configure_logs
from settings import load_settings
from tests.ui.simulation import ADA, ROOT, VISITOR, FakeSessions, container_with
from ui.components.notice import notice
from ui.nicegui_ext.html import Tag
from ui.page import assets
from ui.page.frame import frame
from ui.pages import errors, home, login, pricing
from ui.plans.card import PlanCard
from ui.plans.grid import PlanGrid
from ui.plans.offers import public_offers
from ui.serving.document import PageContext, page


def main(port: int, folder: Path) -> None:
    configure_logs()
    settings = load_settings(
        _env_file=None,
        storage_path=str(folder / "store.sqlite3"),
        public_url=f"http://localhost:{port}",
        terms_url="https://example.com/terms",
        privacy_url="https://example.com/privacy",
        support_url="mailto:help@example.com",
    )
    sessions = FakeSessions({"ada": ADA, "visitor": VISITOR})
    container = container_with(settings, sessions, load_catalog(ROOT / "products.json"))
    app.add_middleware(SecurityHeaders, settings=settings)
    assets.register(settings)
    for module in (home, pricing, login, errors):
        module.register(container)
    add_presses(container)
    ui.run(host="127.0.0.1", port=port, show=False, reload=False, tailwind=False, dark=None, show_welcome_message=False)


def add_presses(container: Container) -> None:
    """Add a page that counts presses, slowly, and a route that says that a form was posted."""

    @page(container, "/presses", title="Presses")
    def presses(context: PageContext) -> None:
        async def count(card: PlanCard) -> None:
            shown.set_text(f"{shown.text} {card.offer.plan.id}-{card.interval}")
            await asyncio.sleep(float(context.query.get("seconds", "0.2")))
            grid.release()
            with place, notice("danger", "It did not work.", focus=True):
                pass

        with frame(context):
            Tag("h1", "Presses")
            shown = Tag("p", "pressed:", testid="pressed")
            place = Tag("div")
            grid = PlanGrid(context, public_offers(context), Interval.MONTH, on_press=count)

    @page(container, "/broken", title="Broken")
    def broken(context: PageContext) -> None:
        raise ValueError("on purpose")

    @app.post("/payment/checkout")
    def checkout() -> dict[str, bool]:
        return {"posted": True}


if __name__ in {"__main__", "__mp_main__"}:
    main(int(sys.argv[1]), Path(sys.argv[2]))
