"""NiceGUI's own document with Quasar, dressed as a page of ours: our head, style, frame and scripts, a nonce on each.

For pages with `elements="all"`, and for every page where our own document is off. Nothing is taken out of it but what
would stand there twice, and a piece that is not where it was in 3.18 is left as it is: a page of another NiceGUI may
look less like ours, but it works.

Written against NiceGUI 3.18, which can put text into a page's head and body, but no nonce on its own scripts.
"""

import re
from collections.abc import Callable
from copy import copy
from functools import lru_cache
from typing import Final, Literal, get_args

from nicegui import Client
from nicegui.language import Language

from ui.nicegui_ext import template
from ui.nicegui_ext.template import STORAGE_STAND_IN, DocumentParts

DARK: Final[dict[str, bool | None]] = {"light": False, "dark": True, "system": None}
"""Our themes as NiceGUI has them."""

SCRIPT: Final = re.compile(r"(<script\b)([^>]*)(>.*?</script\s*>)", re.DOTALL | re.IGNORECASE)
TAILWIND: Final = re.compile(r'<script[^>]*/tailwindcss\.min\.js"[^>]*></script>')
FALLBACK: Final = re.compile(r'<div id="esm-fallback">.*?</div>', re.DOTALL)
"""What NiceGUI shows until Vue has come. Here the page's text stands there, or a `noscript`."""

PREFIX: Final = re.compile(r'<script defer src="([^"]*)/_nicegui/')


def prepare(client: Client, locale: str, theme: Literal["light", "dark", "system"]) -> None:
    """Have Quasar start in the page's language and theme. Pages share their route's, so this one gets its own."""
    page = copy(client.page)
    page.language = _language(locale)
    page.dark = DARK[theme]
    client.page = page


def dress(html: str, parts: DocumentParts, *, tailwind: bool) -> str:
    """Return NiceGUI's answer as our document."""
    found = PREFIX.search(html)
    prefix = found[1] if found is not None else ""
    # NiceGUI's script wants its own style sheet to be the first one, so ours comes last in the head.
    style = f"{parts.styles(prefix)}<style>{parts.full_style}</style>"
    icons = f'<link rel="stylesheet" href="{prefix}{parts.icons}">'
    scripts = "".join(
        f'<script defer src="{prefix}{address}"></script>\n' for address in (parts.script, parts.full_script)
    )
    html = re.sub(r"<title>.*?</title>", "", html, count=1, flags=re.DOTALL)
    html = re.sub(r"<html[^>]*>", _literally(f"<html {parts.html_attributes}>"), html, count=1)
    html = _insert(html, "<head>", f'\n<meta charset="utf-8">\n{parts.head}\n<script>{STORAGE_STAND_IN}</script>')
    html = html.replace("</head>", f"{style}\n{icons}\n</head>", 1)
    html = _insert(html, "<body", parts.body_attributes)
    html = FALLBACK.sub("", html)
    for popup, ours in template.POPUPS.items():  # NiceGUI's speak its own languages, and stand in the middle
        html = re.sub(rf'<div id="{popup}".*?</div>', _literally(ours), html, count=1, flags=re.DOTALL)
    html = re.sub(r'(<div id="app"[^>]*>)</div>', lambda found: f"{scripts}{parts.in_app(found[1])}", html, count=1)
    return with_nonces(html if tailwind else TAILWIND.sub("", html), parts.nonce)


def with_nonces(html: str, nonce: str) -> str:
    """Return the document with the nonce on every script that has none."""

    def mark(found: re.Match[str]) -> str:
        return found[0] if "nonce=" in found[2] else f'{found[1]} nonce="{nonce}"{found[2]}{found[3]}'

    return SCRIPT.sub(mark, html)


def _insert(html: str, mark: str, text: str) -> str:
    return html.replace(mark, f"{mark}{text}", 1)


def _literally(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _found: text


@lru_cache(maxsize=32)
def _language(locale: str) -> Language:
    """Return Quasar's name of a language; English for one that it does not have."""
    known: tuple[Language, ...] = ("en-US", *get_args(Language))
    same = (name for name in known if name.split("-")[0] == locale.split("-")[0])
    return next((name for name in known if name == locale), next(same, "en-US"))
