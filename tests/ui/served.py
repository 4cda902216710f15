"""The public pages on a real port with sessions in memory: `python -m tests.ui.served PORT`, for tests in Chromium."""

import asyncio
import sys
from pathlib import Path

from nicegui import app, ui

from api.security import SecurityHeaders
from catalog import Interval, load_catalog
from services.logs import configure_logs
from settings import load_settings
from tests.ui.simulation import ADA, ROOT, VISITOR, FakeSessions, FixedCatalog
from ui import assets
from ui.components.notice import notice
from ui.components.plan_card import PlanOffer
from ui.components.plan_grid import PlanGrid
from ui.document import Visit, page
from ui.frame import frame
from ui.html import Tag
from ui.offers import public_offers
from ui.pages import errors, home, login, pricing
from ui.site import Site


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
    site = Site(settings, FixedCatalog(load_catalog(ROOT / "products.json")), sessions)
    app.add_middleware(SecurityHeaders, settings=settings)
    assets.register(settings)
    for module in (home, pricing, login, errors):
        module.register(site)
    add_presses(site)
    ui.run(host="127.0.0.1", port=port, show=False, reload=False, tailwind=False, dark=None, show_welcome_message=False)


def add_presses(site: Site) -> None:
    """Add a page that counts presses, slowly, and a route that says that a form was posted."""

    @page(site, "/presses", title="Presses")
    def presses(visit: Visit) -> None:
        async def count(offer: PlanOffer, interval: Interval) -> None:
            shown.set_text(f"{shown.text} {offer.plan.id}-{interval}")
            await asyncio.sleep(float(visit.query.get("seconds", "0.2")))
            grid.release()
            with place, notice("danger", "It did not work.", focus=True):
                pass

        with frame(visit):
            Tag("h1", "Presses")
            shown = Tag("p", "pressed:", testid="pressed")
            place = Tag("div")
            grid = PlanGrid(visit, public_offers(visit), Interval.MONTH, on_press=count)

    @page(site, "/broken", title="Broken")
    def broken(visit: Visit) -> None:
        raise ValueError("on purpose")

    @app.post("/payment/checkout")
    def checkout() -> dict[str, bool]:
        return {"posted": True}


if __name__ in {"__main__", "__mp_main__"}:
    main(int(sys.argv[1]), Path(sys.argv[2]))
