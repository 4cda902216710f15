"""`/login`: the choice of who vouches for you. What happens after the choice is in `api/sign_in.py`."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from services.container import Container
from services.web.safe_paths import safe_next
from ui.components.notice import notice
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _
from ui.theme.icons import icon

PROVIDERS: Final = {"google": "Google", "github": "GitHub", "discord": "Discord", "microsoft": "Microsoft"}

FAILURES: Final = {
    "expired": N_("That sign-in link has expired or was already used. Sign in again."),
    "cookies": N_(
        "Your browser didn't send our cookie back, and sign-in needs it. Allow cookies for this site, then sign in "
        "again in the browser you started in."
    ),
    "failed": N_("Sign-in didn't work, and nothing was changed. Sign in again."),
    "unavailable": N_("Sign-in is unavailable right now. Try again in a minute."),
    "ended": N_("Your session has ended. Sign in to continue."),
}
"""What `?error=` stands for: words of ours by a code, never text from the address."""


PROMISE: Final = N_("We only receive your name and email address. You can sign out at any time.")


def register(container: Container) -> None:
    """Add the page."""

    @page(container, "/login", title=N_("Sign in"), description=PROMISE, robots="noindex")
    def login(context: PageContext) -> Response | None:
        next_path = safe_next(context.query.get("next", "/payment"))
        if context.user is not None:
            return RedirectResponse(next_path, 303)
        with frame(context, narrow=True), Tag("div", classes="card card-page"):
            with Tag("div", classes="stack center"):
                Tag("h1", _("Sign in"), classes="card-title")
                Tag("p", _reason(container, next_path), classes="muted")
            failure = FAILURES.get(context.query.get("error", ""))
            if failure:
                with notice("warning", _(failure), focus=True):
                    pass
            with Tag("ul", classes="providers"):
                for provider in container.settings.auth_ms_providers:
                    with Tag("li"):
                        _provider(provider, next_path)
            _fine_print(container)
        return None


def _reason(container: Container, next_path: str) -> str:
    """Return what signing in is for, from where it leads."""
    if next_path.startswith("/payment?"):
        return _("Then you confirm your order and go to checkout.")
    if next_path.startswith("/cart"):
        return _("Then you're back in your cart, with everything in it.")
    return _("Use an account you already have. No new password to remember.")


def _provider(provider: str, next_path: str) -> None:
    address = f"/auth/login?{urlencode({'provider': provider, 'next': next_path})}"
    with Tag(
        "a", classes="button button-secondary button-wide button-large", href=address, testid=f"sign-in-{provider}"
    ):
        icon(provider)
        label = _("Continue with {provider}").format(provider=PROVIDERS.get(provider, provider.title()))
        Tag("span", label, classes="button-label")


def _fine_print(container: Container) -> None:
    links = [(container.settings.terms_url, _("Terms")), (container.settings.privacy_url, _("Privacy"))]
    Tag("p", _(PROMISE), classes="muted small center")
    if any(href for href, _label in links):
        with Tag("p", classes="fine-links small"):
            for href, label in links:
                if href:
                    Tag("a", label, href=href)
