"""`/signed-out`: where a sign-out leads, so that somebody at a shared machine sees that it happened."""

from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.responses import RedirectResponse, Response

from services.container import Container
from services.web.problem_address import FORGOTTEN_AT
from ui.components.button import button
from ui.components.card_page import card_page
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _

AGAIN: Final = N_("Sign in again to see your plan and your orders.")
SAID_FOR: Final = timedelta(minutes=2)


def register(container: Container) -> None:
    """Add the page."""

    @page(container, "/signed-out", title=N_("You're signed out"), description=AGAIN, robots="noindex")
    def signed_out(context: PageContext) -> Response | None:
        if context.user is not None:
            return RedirectResponse("/payment", 303)
        with frame(context, narrow=True), card_page("success", "check-circle", _("You're signed out")):
            if forgotten_just_now(context.query.get(FORGOTTEN_AT, ""), datetime.now(UTC)):
                Tag("p", _("What could be forgotten of you is forgotten."), classes="center card-sentence")
            else:
                Tag("p", _(AGAIN), classes="center muted card-sentence")
            with Tag("div", classes="card-actions"):
                button(_("Sign in"), href="/login?next=/payment", wide=True, large=True, testid="sign-in-again")
                button(_("Go to home page"), "quiet", href=context.settings.home_address, wide=True)
        return None


def forgotten_just_now(moment: str, now: datetime) -> bool:
    """Whether an address says that its reader was forgotten within the last minutes."""
    try:
        return timedelta() <= now - datetime.fromtimestamp(int(moment), UTC) < SAID_FOR
    except (ValueError, OverflowError, OSError):
        return False
