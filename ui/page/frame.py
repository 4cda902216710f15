"""The frame of every page: skip link, sandbox strip, header with navigation and account, banners, footer.

    with frame(context):
        Tag("h1", _("Your account"))

What is drawn inside the block is the page's main content. The frame works without a script: its menus are `<details>`,
its choices are forms. Afterwards `context.frame` can change what it shows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unicodedata import east_asian_width
from urllib.parse import quote, urlsplit

from nicegui import ui
from nicegui.element import Element

from settings import Settings, Theme
from ui.components.button import button
from ui.components.email_address import email_address
from ui.nicegui_ext.html import Tag
from ui.page.context import LOCALE_IN_ADDRESS, THEME_IN_ADDRESS, PageContext
from ui.page.extensions import load_extensions
from ui.page.own_links import footer_links, navigation_links
from ui.page.product_link import product_words
from ui.page.shown_frame import ShownFrame, cart_count_words
from ui.page.site_notice import SiteNotices
from ui.text.i18n import N_, _, language_name, offered
from ui.theme.brand import brand_mark
from ui.theme.icons import icon

SANDBOX_WORDS: Final = N_("Sandbox: no money moves.")
THEME_NAMES: Final[dict[Theme, tuple[str, str]]] = {
    # Translators: choice of a theme: as the operating system has it
    "system": (N_("System"), "computer-desktop"),
    # Translators: choice of a theme: bright colors
    "light": (N_("Light"), "sun"),
    # Translators: choice of a theme: dark colors
    "dark": (N_("Dark"), "moon"),
}

ROOM_ON_A_TABLET, ROOM_ON_A_DESK = 480, 700
"""Points that the navigation may take beside the name, the cart and the account, before it is folded."""


@contextmanager
def frame(context: PageContext, *, narrow: bool = False) -> Iterator[ShownFrame]:
    """Draw the frame around the block; `narrow` centres the content in a column of one card."""
    layout = ui.context.client.layout
    _before_main(layout, Tag("a", _("Skip to content"), href="#main", classes="skip-link"), 0)
    with Tag("header", classes="site-header") as header:
        if context.settings.sandbox_enabled:
            _sandbox_strip(context.settings)
        with Tag("div", classes="container site-bar", data_links=_crowd(context)):
            _brand(context)
            _navigation(context)
            with Tag("div", classes="site-tools"):
                plan = _plan(context)
                if context.user is not None and context.settings.app_url:
                    Tag(
                        "a", product_words(context), href=str(context.settings.app_url), classes="nav-link product-link"
                    )
                cart = _cart_link(context)
                _account(context)
                _folded_menu(context)
    _before_main(layout, header, 1)
    # Translators: name of the place for messages, for screen readers
    with Tag("section", classes="banners", aria_label=_("Notices")) as banners:
        for draw in context.banners:
            draw(context)
    are_banners = bool(banners.default_slot.children)
    banners.set(hidden=not are_banners)
    _before_main(layout, SiteNotices(context).box, 2)
    _before_main(layout, banners, 3)
    with Tag("footer", classes="site-footer") as footer:
        _footer(context)
    footer.move(layout)
    live = Tag("div", "", classes="visually-hidden", role="status", id="announcements")
    live.move(layout)
    context.frame = ShownFrame(live, banners, cart, plan, shown=are_banners)
    width, kind = " narrow" if narrow else "", " elements-all" if context.elements == "all" else ""
    with Tag("div", classes=f"container{width}{kind}"):
        yield context.frame


def _before_main(layout: Element, element: Tag, place: int) -> None:
    element.move(layout, target_index=place)


def _sandbox_strip(settings: Settings) -> None:
    """What this is, and the way to the panel that decides what happens here."""
    with Tag("p", classes="sandbox-strip"), Tag("span", classes="sandbox-words"):
        icon("exclamation-triangle")
        Tag("span", _(SANDBOX_WORDS), testid="sandbox-banner")
        # Translators: link to the sandbox, where payments are only played
        Tag("a", _("Control panel"), href=sandbox_panel(settings), testid="sandbox-panel-link")


def sandbox_panel(settings: Settings) -> str:
    """Where the sandbox's control panel is: beside the app, on the port of the hosted pages."""
    return f"http://{urlsplit(settings.public_url).hostname or 'localhost'}:{settings.sandbox_stripe_port}/"


def _brand(context: PageContext) -> None:
    with Tag("a", href=context.settings.home_address, classes="brand"):
        brand_mark(context.settings, context.theme)


def _links(context: PageContext) -> list[tuple[str, str]]:
    # Translators: link to the page with plans and prices
    links = [("/pricing", _("Pricing"))]
    if context.catalog.items:
        # Translators: link to the page where items are bought once
        links.append(("/shop", _("Shop")))
    if context.user is not None:
        # Translators: link to the customer's page with plan, orders and invoices; a noun
        links.append(("/payment", _("Billing")))
    for extension in load_extensions(context.settings.extensions):
        entries = extension.navigation
        links += [
            (entry.path, _(entry.label)) for entry in entries if context.user is not None or not entry.signed_in_only
        ]
    return links + navigation_links(context)


def _navigation(context: PageContext) -> None:
    # Translators: name of the main navigation, for screen readers
    with Tag("nav", classes="site-nav", aria_label=_("Main")), Tag("ul"):
        _link_items(context)


def _crowd(context: PageContext) -> str | None:
    """Say whether the links are too many, or too long, to stand side by side: on a tablet, or anywhere."""
    words = [label for _href, label in _links(context)]
    wide = 0.0 if context.settings.brand_logo_only else _width(context.settings.brand_name) - _width("Northwind Cloud")
    needed = sum(_width(label) + 28 for label in words) + max(0.0, wide)
    if needed <= ROOM_ON_A_TABLET:
        return None
    return "many" if needed <= ROOM_ON_A_DESK else "too-many"


def _width(words: str) -> float:
    """Return about how wide words are in the header: Chinese and Japanese letters are twice as wide as others."""
    return sum(15 if east_asian_width(letter) in "WF" else 8 for letter in words)


def _link_items(context: PageContext) -> None:
    for href, label in _links(context):
        with Tag("li"):
            current = "page" if context.path == href else None
            Tag("a", label, href=href, classes="nav-link", aria_current=current)


def _folded_menu(context: PageContext) -> None:
    with Tag("details", classes="menu menu-folded", data_menu=""):
        # Translators: button on phones that opens the navigation
        with Tag("summary", aria_label=_("Menu")):
            icon("bars-3")
        with Tag("nav", classes="menu-panel", aria_label=_("Main")), Tag("ul"):
            _link_items(context)


def _cart_link(context: PageContext) -> Tag | None:
    if not context.catalog.items:
        return None
    count = context.cart_count
    # Translators: link to the shopping cart
    with Tag("a", href="/cart", classes="cart-link", aria_label=_("Cart")):
        icon("shopping-cart")
        words = cart_count_words(count)
        return Tag(
            "span", str(count) if count else "", classes="cart-count", testid="cart-count", hidden=count == 0,
            title=words,
        )  # fmt: skip


def _plan(context: PageContext) -> Tag | None:
    """Draw the plan of who is signed in: where nothing moves when it becomes known while they look."""
    if context.user is None:
        return None
    label = context.plan_label(context)
    return Tag("span", label, classes="badge badge-brand plan-badge", hidden=not label)


def _account(context: PageContext) -> None:
    """Draw "Sign in", or the menu of who is signed in."""
    user = context.user
    if user is None:
        button(_("Sign in"), "secondary", href=f"/login?next={_next(context)}", testid="sign-in")
        return
    name = user.name or user.email or user.user_id
    with Tag("details", classes="menu account", data_menu=""):
        with Tag("summary"):
            Tag("span", name[:1].upper(), classes="avatar", aria_hidden="true")
            Tag("span", name, classes="user-name", testid="user-name")
            icon("chevron-down")
        with Tag("div", classes="menu-panel"):
            with Tag("p", classes="menu-head"):
                email_address(user.email or name)
            if context.settings.app_url:
                product = product_words(context)
                Tag("a", product, href=str(context.settings.app_url), classes="nav-link product-in-menu")
            # Translators: link to the page with the user's name and settings
            Tag("a", _("Account"), href="/account", classes="nav-link")
            Tag("a", _("Billing"), href="/payment", classes="nav-link")
            with Tag("form", method="post", action="/sign-out", data_leaves=""):
                Tag("button", _("Sign out"), type="submit", classes="nav-link", testid="sign-out")


def _next(context: PageContext) -> str:
    """Return where a sign-in from this page leads, for a query."""
    return quote(
        "/payment" if context.path in {"/", "/login", "/signed-out"} or not context.here else context.here, safe="/"
    )


def _footer(context: PageContext) -> None:
    with Tag("div", classes="container"):
        with Tag("ul", classes="footer-links"):
            for href, label in footer_links(context):
                with Tag("li"):
                    Tag("a", label, href=href)
        if has_choices(context.settings):
            with Tag("div", classes="preferences"):
                language_choice(context)
                theme_choice(context)
        if own := context.catalog.texts.footer:
            Tag("p", context.text(own), classes="footer-note")
        Tag("p", _("Billing is handled by Stripe. We never see your card."), classes="footer-note footer-stripe")


def has_choices(settings: Settings) -> bool:
    """Say whether there is a language or a theme to choose."""
    return settings.fixed_theme is None or len(offered(settings).locales) > 1


def language_choice(context: PageContext) -> None:
    """Draw the choice of language, if there is one; `app.js` sends the form at once, else its button does."""
    locales = offered(context.settings).locales
    if len(locales) < 2:
        return
    with Tag("form", method="post", action="/preferences", classes="choice"):
        _back_here(context, LOCALE_IN_ADDRESS)
        with Tag("span", classes="choice-field"):
            # Translators: label of a choice
            with Tag("select", name="locale", aria_label=_("Language"), data_send_on_change="", autocomplete="off"):
                for locale in locales:
                    Tag("option", language_name(locale), value=locale, lang=locale, selected=locale == context.locale)
            icon("chevron-down")
        with Tag("noscript"):
            # Translators: button: use the chosen language or theme; a verb
            Tag("button", _("Change"), type="submit", classes="button button-secondary")


def _back_here(context: PageContext, chosen: str) -> None:
    """Have a form lead back to this page, whose address no longer says what is chosen anew.

    Without the field it leads to where it was posted from.
    """
    if context.here:
        Tag("input", type="hidden", name="next", value=context.here_without(chosen))


def theme_choice(context: PageContext) -> None:
    """Draw the choice of light, dark or the system's, if there is one; `app.js` changes it in place, else the form."""
    if context.settings.fixed_theme is not None:
        return
    with Tag("form", method="post", action="/preferences"):
        _back_here(context, THEME_IN_ADDRESS)
        # Translators: label of a choice between light and dark colors
        with Tag("div", classes="theme-choice", role="group", aria_label=_("Theme")):
            for theme, (label, drawing) in THEME_NAMES.items():
                with Tag(
                    "button", type="submit", name="theme", value=theme, aria_pressed=context.theme == theme,
                    aria_label=_(label), title=_(label), data_theme_choice="",
                ):  # fmt: skip
                    icon(drawing)
