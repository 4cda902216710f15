"""What a page's head says to tabs, search engines and previews, and the words that `app.js` shows by itself."""

from collections.abc import Mapping
from html import escape

from services.session import account_mark
from ui.brand import icon_address
from ui.i18n import _
from ui.template import json_script
from ui.theme import dark_palette, light_palette
from ui.visit import Visit


def head_html(visit: Visit, nonce: str) -> str:
    """Return the head's title, meta and link elements and JSON-LD of a visit."""
    brand = visit.site.settings.brand_name
    title = _(visit.head.title)
    title = title if title == brand else f"{title} · {brand}"
    description = _(visit.head.description)
    address = visit.head.canonical or f"{visit.site.settings.public_url}{visit.path}"
    meta = {"viewport": "width=device-width, initial-scale=1", "description": description, "robots": visit.head.robots}
    shared = {
        "og:title": title,
        "og:description": description,
        "og:type": "website",
        "og:url": address,
        "og:site_name": brand,
        "og:locale": visit.locale,
    }
    parts = [f"<title>{escape(title)}</title>"]
    parts += [f'<meta name="{name}" content="{escape(value)}">' for name, value in meta.items() if value]
    if not visit.head.robots.startswith("noindex"):
        parts += [f'<meta property="{name}" content="{escape(value)}">' for name, value in shared.items() if value]
        parts.append(f'<link rel="canonical" href="{escape(address)}">')
    parts.append(f'<meta name="color-scheme" content="{_color_scheme(visit)}">')
    parts += _theme_colors(visit)
    parts.append(f'<link rel="icon" href="{icon_address(visit.site.settings)}" type="image/svg+xml">')
    parts += [json_script(thing, nonce) for thing in visit.head.json_ld]
    return "\n".join(parts)


def words(visit: Visit) -> Mapping[str, str]:
    """Return what `app.js` says when the server can't, and for whom: by name of a data attribute of the body."""
    account = {"account": account_mark(visit.user.user_id)} if visit.user is not None else {}
    return {
        **account,
        "connection-none": _("This page isn't live right now. Load it again to see what's new."),
        "connection-lost": _("Connection lost. Reconnecting…"),
        "connection-back": _("You're back online."),
        "slow": _("This takes longer than usual. Nothing has been charged."),
        "very-slow": _("Our payment service isn't answering. Nothing has been charged. You can go back and try again."),
    }


def _theme_colors(visit: Visit) -> list[str]:
    """Return the colour of the browser's own bar, which continues the header."""
    color = visit.site.settings.brand_color
    light, dark = light_palette(color)["surface"], dark_palette(color)["surface"]
    if visit.theme != "system":
        return [f'<meta name="theme-color" content="{dark if visit.theme == "dark" else light}">']
    return [
        f'<meta name="theme-color" content="{light}" media="(prefers-color-scheme: light)">',
        f'<meta name="theme-color" content="{dark}" media="(prefers-color-scheme: dark)">',
    ]


def _color_scheme(visit: Visit) -> str:
    return "light dark" if visit.theme == "system" else visit.theme
