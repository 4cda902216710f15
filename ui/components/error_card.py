"""What an error looks like as a page: what happened, whether money moved, what to do."""

from services.errors import FrontendError
from ui.components.button import button
from ui.components.money_banner import keep_money_banner
from ui.frame import frame
from ui.html import Tag
from ui.i18n import _
from ui.icons import icon
from ui.visit import Visit

ERROR_ICONS = {404: "magnifying-glass", 401: "lock-closed", 429: "clock"}


def error_page(visit: Visit, error: FrontendError) -> None:
    """Draw the whole page for an error, in the page's frame."""
    keep_money_banner(visit)
    with frame(visit, narrow=True):
        error_card(visit, error)


def error_card(visit: Visit, error: FrontendError) -> None:
    """Draw one centred card: a headline that says what is true, a sentence, the way on, the reference to quote."""
    reference = error.request_id or getattr(visit.request.state, "request_id", "")
    missing = error.status == 404
    with Tag("div", classes="card card-page center", data_error=error.code):
        with Tag("span", classes=f"card-icon card-icon-{'neutral' if missing else 'warning'}"):
            icon(ERROR_ICONS.get(error.status, "exclamation-triangle"))
        Tag("h1", _(error.title), classes="card-title")
        Tag("p", _(error.sentence), classes="muted")
        with Tag("div", classes="card-actions"):
            if error.retryable or error.status == 500:
                button(_("Try again"), href=visit.here, wide=True, icon_name="arrow-path")
                button(_("Go to the start page"), "quiet", href="/", wide=True)
            else:
                button(_("Go to the start page"), href="/", wide=True)
                button(_("See plans"), "quiet", href="/pricing", wide=True)
        if visit.site.settings.support_url and not missing:
            Tag("a", _("Contact support"), href=visit.site.settings.support_url, classes="small")
        if reference and not missing:
            Tag("p", _("Reference: {reference}").format(reference=reference), classes="reference")
