"""What a page's head says to tabs, search engines and previews, and the words that `app.js` shows by itself."""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from services.sessions.service import account_mark
from services.web.base_path import at, base_path
from settings import Settings
from ui.nicegui_ext.template import json_script
from ui.page.assets import script
from ui.page.context import LOCALE_IN_ADDRESS, PageContext
from ui.text.i18n import _, offered
from ui.theme.icon_files import PREVIEW_SIZE, icon_address, preview_address, touch_icon_address
from ui.theme.look import look_of
from ui.theme.style_sheet import dark_palette, light_palette


def head_html(context: PageContext, nonce: str) -> str:
    """Return the head's title, meta and link elements and JSON-LD of a visit."""
    brand = context.settings.brand_name
    title = _(context.head.title)
    title = title if title == brand else f"{title} · {brand}"
    description = _(context.head.description)
    page = context.head.canonical or f"{context.settings.public_url}{context.path}"
    address = in_language(page, named_language(context))
    meta = {
        "viewport": "width=device-width, initial-scale=1",
        "description": description,
        "robots": context.head.robots,
    }
    shared = {
        "og:title": title,
        "og:description": description,
        "og:type": "website",
        "og:url": address,
        "og:site_name": brand,
        "og:locale": context.locale.replace("-", "_"),
        "og:image": preview_address(context.settings),
        "og:image:width": str(PREVIEW_SIZE[0]),
        "og:image:height": str(PREVIEW_SIZE[1]),
        "og:image:alt": brand,
    }
    parts = [f"<title>{escape(title)}</title>"]
    parts += [f'<meta name="{name}" content="{escape(value)}">' for name, value in meta.items() if value]
    if not context.head.robots.startswith("noindex"):
        parts += [f'<meta property="{name}" content="{escape(value)}">' for name, value in shared.items() if value]
        parts.append('<meta name="twitter:card" content="summary_large_image">')
        parts.append(f'<link rel="canonical" href="{escape(address)}">')
        parts += [
            f'<link rel="alternate" hreflang="{language}" href="{escape(other)}">'
            for language, other in alternates(page, context.settings)
        ]
    if context.head.text_version:
        text = at(in_language(context.head.text_version, named_language(context)))
        parts.append(f'<link rel="alternate" type="text/markdown" href="{escape(text)}">')
    parts.append(f'<meta name="color-scheme" content="{_color_scheme(context)}">')
    parts += _theme_colors(context)
    parts.append(f'<link rel="icon" href="{at(icon_address(context.settings))}" type="image/svg+xml">')
    parts.append(f'<link rel="apple-touch-icon" href="{at(touch_icon_address(context.settings))}">')
    if font := look_of(context.settings).font_file:  # optional: asked for at once it is there for the first text
        parts.append(f'<link rel="preload" href="{font}" as="font" crossorigin>')
    if context.head.reload_each:
        parts.append(f'<noscript><meta http-equiv="refresh" content="{context.head.reload_each}"></noscript>')
    parts += [json_script(thing, nonce) for thing in context.head.json_ld]
    return "\n".join(parts)


def named_language(context: PageContext) -> str:
    """Return the language that the address of a page names; nothing for one that leaves it to the reader."""
    return offered(context.settings).named(context.query.get(LOCALE_IN_ADDRESS)) or ""


def in_language(address: str, locale: str) -> str:
    """Return the address of a page in that language, which is one of its own; without one, for all languages."""
    return f"{address}?{urlencode({LOCALE_IN_ADDRESS: locale})}" if locale else address


def alternates(address: str, settings: Settings) -> list[tuple[str, str]]:
    """Return what search engines are told of a page's languages: each with its address, and the one for all others."""
    locales = offered(settings).locales
    if len(locales) < 2:
        return []
    return [*((locale, in_language(address, locale)) for locale in locales), ("x-default", address)]


def words(context: PageContext) -> Mapping[str, str]:
    """Return what `app.js` says when the server can't, and for whom: by name of a data attribute of the body."""
    account = {"account": account_mark(context.user.user_id)} if context.user is not None else {}
    return {
        **account,
        **({"base": base_path()} if base_path() else {}),
        "line-script": at(script("line.js").address),
        "connection-none": _("This page isn't updating right now. Reload it to see what's new."),
        "connection-lost": _("Connection lost. Reconnecting…"),
        "connection-back": _("You're back online."),
        "offline": _("There's no connection right now."),
        "offline-kept": _("There's no connection right now. Once it's back, we'll continue with what you pressed."),
        "offline-again": _("You're back online. Nothing was sent meanwhile: press again to continue."),
        **({"updated": _("This page has been updated.")} if context.shared else {}),
        "slow": _("This takes longer than usual. Nothing has been charged."),
        "very-slow": _("Our payment service isn't answering. Nothing has been charged. You can go back and try again."),
    }


def _theme_colors(context: PageContext) -> list[str]:
    """Return the colour of the browser's own bar, which continues the header."""
    color = context.settings.brand_color
    light, dark = light_palette(color)["surface"], dark_palette(color)["surface"]
    if context.theme != "system":
        return [f'<meta name="theme-color" content="{dark if context.theme == "dark" else light}">']
    return [
        f'<meta name="theme-color" content="{light}" media="(prefers-color-scheme: light)">',
        f'<meta name="theme-color" content="{dark}" media="(prefers-color-scheme: dark)">',
    ]


def _color_scheme(context: PageContext) -> str:
    return "light dark" if context.theme == "system" else context.theme
