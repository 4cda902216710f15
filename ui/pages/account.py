"""`/account`: who the user is here, and how it looks to them. What they have and buy is on `/payment`."""

from starlette.responses import RedirectResponse, Response

from services.container import Container
from services.sessions.service import Session
from ui.components.button import button
from ui.components.email_address import email_address
from ui.nicegui_ext.html import Tag
from ui.page.current_user import signed_in
from ui.page.frame import frame, has_choices, language_choice, theme_choice
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _


def register(container: Container) -> None:
    """Add the page."""

    @page(
        container,
        "/account",
        title=N_("Account"),
        description=N_("Your profile, language and theme."),
        requires_sign_in=True,
    )
    def account(context: PageContext) -> Response | None:
        if context.query.get("from") == "portal":  # where an earlier release had the portal lead back to
            return RedirectResponse("/payment?from=portal", 303)
        session = signed_in(context)
        with frame(context):
            with Tag("div", classes="page-head"):
                Tag("h1", _("Account"))
            with Tag("div", classes="settings card"):
                draw_profile(session)
                draw_billing_link()
                draw_preferences(context)
                draw_own_data()
                draw_sign_out()
        return None


def draw_profile(session: Session) -> None:
    """Draw who is signed in."""
    user = session.user
    with Tag("section", classes="setting", aria_labelledby="profile-title"):
        # Translators: headline over name and email address
        Tag("h2", _("Profile"), id="profile-title", classes="card-heading")
        with Tag("dl", classes="profile"):
            facts = (
                # Translators: label: what the user is called
                (_("Name"), user.name),
                # Translators: label: the user's address
                (_("Email"), user.email),
            )
            for name, value in facts:
                if value:
                    Tag("dt", name, classes="muted small")
                    with Tag("dd"):
                        email_address(value)


def draw_billing_link() -> None:
    """Draw the way to what the user has and buys."""
    with Tag("section", classes="setting", aria_labelledby="billing-title"):
        Tag("h2", _("Billing"), id="billing-title", classes="card-heading")
        with Tag("div", classes="setting-row"):
            Tag("p", _("Your plan, orders and invoices."), classes="muted")
            button(_("Go to billing"), "secondary", href="/payment")


def draw_preferences(context: PageContext) -> None:
    """Draw language and theme, where there is something to choose."""
    if not has_choices(context.settings):
        return
    with Tag("section", classes="setting", aria_labelledby="preferences-title"):
        Tag("h2", _("Language and theme"), id="preferences-title", classes="card-heading")
        with Tag("div", classes="stack"):
            with Tag("div", classes="preferences"):
                language_choice(context)
                theme_choice(context)
            Tag("p", _("Remembered in this browser."), classes="muted small")


def draw_own_data() -> None:
    """Draw how to have what is kept of the user, and how to have it forgotten."""
    with Tag("section", classes="setting", aria_labelledby="data-title"):
        # Translators: headline over what is kept of the user
        Tag("h2", _("Your data"), id="data-title", classes="card-heading")
        with Tag("div", classes="stack"):
            with Tag("div", classes="setting-row"):
                Tag("p", _("All that this app keeps of you, as a file."), classes="muted")
                button(_("Download"), "secondary", href="/api/me/data", testid="download-data")
            with Tag("div", classes="setting-row"):
                Tag("p", _("Have it forgotten."), classes="muted")
                button(_("Forget…"), "secondary", href="/account/forget", testid="forget-data")


def draw_sign_out() -> None:
    """Draw the way out."""
    with Tag("section", classes="setting", aria_labelledby="session-title"):
        # Translators: headline over the button that signs out
        Tag("h2", _("Session"), id="session-title", classes="card-heading")
        with Tag("div", classes="setting-row"):
            Tag("p", _("You're signed in on this device."), classes="muted")
            with Tag("form", method="post", action="/auth/sign-out", data_leaves=""):
                button(_("Sign out"), "secondary", submit=True, testid="sign-out-here")
