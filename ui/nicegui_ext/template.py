"""The HTML document around a page: NiceGUI's start-up script in a document of our own.

NiceGUI's own template loads Quasar, its fonts and 250 kB of style sheets. No page here uses them
(`ui/nicegui_ext/html.py`), so `dismantle` takes out of NiceGUI's answer what starts the page, and `assemble` puts it
into a document with our style first, the page's text in it, and a nonce on every script. If a release of NiceGUI
changes its template, `dismantle` says which piece is missing, and the test of it fails before anybody sees a broken
page.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from nicegui.version import __version__ as NICEGUI_VERSION

JSON_SCRIPT_ESCAPES: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}

STORAGE_STAND_IN: Final = 'try{sessionStorage}catch{Object.defineProperty(window,"sessionStorage",{value:{}})}'
"""For browsers that deny storage to a frame of another site: nicegui.js asks for it and would stop there."""


class TemplateChanged(RuntimeError):
    """NiceGUI's template no longer holds a piece that we need: its release does not fit this app."""


@dataclass(frozen=True, slots=True)
class Startup:
    """What starts a page: the import map, the options and elements of the Vue app, and its components' imports."""

    import_map: str
    prefix: str
    create_app: str
    components: str


def dismantle(html: str) -> Startup:
    """Return the pieces of NiceGUI's document that start its page; raises TemplateChanged when one is missing."""
    import_map, _at = _between(html, '<script type="importmap">', "</script>")
    prefix = _between(html, '<script defer src="', f"/_nicegui/{NICEGUI_VERSION}/static/socket.io.min.js")[0]
    create_app, at = _between(html, "const app = createApp(", "const dark =")
    _quasar, at = _between(html, "const vue_config =", "setDark(dark);", at)
    components, _at = _between(html, "", 'app.mount("#app");', at)
    return Startup(import_map.strip(), prefix, f"createApp({create_app.strip()}", components.strip())


def _between(html: str, before: str, after: str, start: int = 0) -> tuple[str, int]:
    """Return the text between two marks and the place behind the second one."""
    first = html.find(before, start)
    last = html.find(after, first + len(before))
    if first < 0 or last < 0:
        raise TemplateChanged(f"NiceGUI {NICEGUI_VERSION}: no {before!r} … {after!r} in its page")
    return html[first + len(before) : last], last + len(after)


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """Everything a document is made of. `script` and `icons` are addresses of our script and of the icons."""

    locale: str
    direction: str
    theme: str
    nonce: str
    head: str
    style: str
    content: str
    words: Mapping[str, str]
    script: str = ""
    icons: str = ""


def assemble(page: DocumentParts, startup: Startup | None) -> str:
    """Return the document; without a `startup` one that needs no script and no socket (for error floods)."""
    attributes = f'lang="{escape(page.locale)}" dir="{page.direction}" data-theme="{escape(page.theme)}"'
    words = "".join(f' data-{name}="{escape(text)}"' for name, text in page.words.items())
    return (
        f"<!doctype html>\n<html {attributes}>\n<head>\n"
        f'<meta charset="utf-8">\n{page.head}\n<style>{page.style}</style>\n'
        f"{_import_map(startup, page.nonce) if startup else ''}</head>\n"
        f'<body{words}>\n<div id="app">{page.content}</div>\n'
        f"{_scripts(startup, page) if startup else ''}</body>\n</html>\n"
    )


def _import_map(startup: Startup, nonce: str) -> str:
    """Return the import map alone; `load` in app.js asks for Vue once the text of the page is on screen."""
    return f'<script type="importmap" nonce="{nonce}">{startup.import_map}</script>\n'


def _scripts(startup: Startup, page: DocumentParts) -> str:
    nonce = page.nonce
    static = f"{startup.prefix}/_nicegui/{NICEGUI_VERSION}/static"
    return f"""\
<link rel="stylesheet" href="{startup.prefix}{page.icons}">
<div id="popup" class="connection-bar" role="status" aria-hidden="true"></div>
<div id="too_long_message_popup" aria-hidden="true" hidden></div>
<script nonce="{nonce}">{STORAGE_STAND_IN}</script>
<script defer src="{startup.prefix}{page.script}" nonce="{nonce}"></script>
<script type="module" nonce="{nonce}">
await front.load("{static}/socket.io.min.js", "{static}/nicegui.js");
const app = {startup.create_app}
{startup.components}
await front.quiet();
const kept = front.keep();
app.mount("#app");
front.restore(kept);
</script>
"""


def json_script(value: Mapping[str, object], nonce: str) -> str:
    """Return JSON-LD as a script element from which no text can break out (ASVS 1.2.3)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(JSON_SCRIPT_ESCAPES)
    return f'<script type="application/ld+json" nonce="{nonce}">{text}</script>'
