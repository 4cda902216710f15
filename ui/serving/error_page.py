"""What an error looks like as a page: what happened, whether money moved, what to do."""

from services.errors import AlreadySaid, FrontendError, with_money
from ui.components.button import button
from ui.components.reference import reference
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import note_problem
from ui.page.frame import frame
from ui.page.stripe_mode_banner import watch_stripe_mode_banner
from ui.text.i18n import _, sentence_gap
from ui.theme.icons import icon

ERROR_ICONS = {404: "magnifying-glass", 401: "lock-closed", 429: "clock"}


def error_page(context: PageContext, error: FrontendError, cause: str = "") -> None:
    """Draw the whole page for an error, in the page's frame; `cause` is for who writes the page, and said as it is."""
    watch_stripe_mode_banner(context)
    with frame(context, narrow=True):
        error_card(context, error, cause)


def error_card(context: PageContext, error: FrontendError, cause: str = "") -> None:
    """Draw one centred card: a headline that says what is true, a sentence, the way on, the reference to quote."""
    identifier = error.request_id or getattr(context.request.state, "request_id", "")
    missing = error.status == 404
    if not missing:
        note_problem(context, error, str(identifier or ""))
    with Tag("div", classes="card card-page center", data_error=error.code):
        with Tag("span", classes=f"card-icon card-icon-{'neutral' if missing else 'warning'}"):
            icon(ERROR_ICONS.get(error.status, "exclamation-triangle"))
        Tag("h1", _(error.title), classes="card-title")
        opening = error.status >= 500 and context.request.method in ("GET", "HEAD")
        parts = (_("Opening a page never charges you.") if opening else "", words_below(error))
        if words := sentence_gap().join(filter(None, parts)):
            Tag("p", words, classes="muted")
        if cause:
            Tag("p", cause, classes="small", testid="cause")
        with Tag("div", classes="card-actions"):
            if error.retryable or error.status == 500:
                button(_("Try again"), href=context.here, wide=True, icon_name="arrow-path")
                # Translators: button
                button(_("Go to home page"), "quiet", href=context.settings.home_address, wide=True)
            else:
                button(_("Go to home page"), href=context.settings.home_address, wide=True)
                button(_("See plans"), "quiet", href="/pricing", wide=True)
        if context.settings.support_url and not missing:
            Tag("a", _("Contact us"), href=context.settings.support_url, classes="small")
        if identifier and not missing:
            reference(identifier, "reference")


def words_below(error: FrontendError) -> str:
    """Return what stands below the headline: the error's sentence, or of a failure what its headline has not said.

    That nothing was charged it does not say: the user may just have paid.
    """
    if error.status < 500 or AlreadySaid.TITLE not in error.says:
        return with_money(_(error.sentence), "")
    if error.retryable:
        return _("Try again in a minute.")
    once = AlreadySaid.RETRY in error.says
    return _("Try again once; if that fails too, contact us and quote the reference.") if once else ""
