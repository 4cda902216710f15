"""The HTML document around a page: NiceGUI's start-up script in a document of our own.

NiceGUI's own template loads Quasar, its fonts and 250 kB of style sheets. Our pages use none of them
(`ui/nicegui_ext/html.py`), so `dismantle` takes out of NiceGUI's answer what starts the page, and `assemble` puts it
into a document with our style first, the page's text in it, and a nonce on every script. `verify` knows the start-ups
that were seen working in this document; with another one pages come in NiceGUI's document (`full_document.py`).

Written against NiceGUI 3.18, whose template has one form for pages with and without Quasar.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

import nicegui
from nicegui.version import __version__ as NICEGUI_VERSION

from services.web.base_path import base_path
from ui.nicegui_ext import optimizations

JSON_SCRIPT_ESCAPES: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}

STORAGE_STAND_IN: Final = 'try{sessionStorage}catch{Object.defineProperty(window,"sessionStorage",{value:{}})}'
"""For browsers that deny storage to a frame of another site: nicegui.js asks for it and would stop there."""

POPUPS: Final = {
    "popup": '<div id="popup" class="connection-bar" role="status" aria-hidden="true"></div>',
    "too_long_message_popup": '<div id="too_long_message_popup" aria-hidden="true" hidden></div>',
}
"""The elements that nicegui.js shows by itself, by their ids; `app.js` finds the words for the first one."""

KNOWN_STARTUPS: Final = frozenset({"0b41833e6c10", "177096bf8146", "996d6f6e17bf", "8823cf1556c2"})
"""What `startup_mark` says of the releases of which `make compat` has seen pages work in this document."""

_INSIDE: Final = Path(nicegui.__file__).parent


class TemplateChanged(RuntimeError):
    """NiceGUI's template no longer holds a piece that we need: its release does not fit this app."""


@dataclass(frozen=True, slots=True)
class Startup:
    """What starts a page: the import map, the options and elements of the Vue app, and its components' imports."""

    import_map: str
    prefix: str
    create_app: str
    components: str


def verify() -> None:
    """Raise TemplateChanged when this NiceGUI starts pages in a way that was never seen working without Quasar."""
    mark = startup_mark()
    if mark not in KNOWN_STARTUPS:
        raise TemplateChanged(f"NiceGUI {NICEGUI_VERSION}: pages start in a new way ({mark})")


def startup_mark(inside: Path = _INSIDE) -> str:
    """Return a mark of how the installed NiceGUI starts a page: its template's scripts, and the script they call."""
    template = (inside / "templates" / "index.html").read_text(encoding="utf-8")
    body = re.sub(r"(?s)<style>.*?</style>", "", template[template.index("<body") :])
    script = (inside / "static" / "nicegui.js").read_text(encoding="utf-8")
    return hashlib.sha256(f"{body}{script}".encode()).hexdigest()[:12]


def dismantle(html: str, told: str) -> Startup:
    """Return the pieces of NiceGUI's document that start its page, of the elements that `told` tells of.

    Raises TemplateChanged when one is missing.
    """
    import_map, _at = _between(html, '<script type="importmap">', "</script>")
    prefix = _between(html, '<script defer src="', f"/_nicegui/{NICEGUI_VERSION}/static/socket.io.min.js")[0]
    _few, at = _between(html, "const app = createApp(parseElements(String.raw`", "`)")
    options, at = _between(html, "", "const dark =", at)
    _quasar, at = _between(html, "const vue_config =", "setDark(dark);", at)
    components, _at = _between(html, "", 'app.mount("#app");', at)
    create_app = f"createApp(parseElements(String.raw`{told}`){options.strip()}"
    return Startup(import_map.strip(), prefix, create_app, components.strip())


def _between(html: str, before: str, after: str, start: int = 0) -> tuple[str, int]:
    """Return the text between two marks and the place behind the second one."""
    first = html.find(before, start)
    last = html.find(after, first + len(before))
    if first < 0 or last < 0:
        raise TemplateChanged(f"NiceGUI {NICEGUI_VERSION}: no {before!r} … {after!r} in its page")
    return html[first + len(before) : last], last + len(after)


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """Everything a document is made of.

    `style` is what stands in the page itself, all of it where `style_sheet` is not yet in the browser's cache; the
    scripts, `style_sheet` and `icons` are addresses.
    """

    locale: str
    direction: str
    theme: str
    nonce: str
    head: str
    style: str
    content: str
    words: Mapping[str, str]
    style_sheet: str = ""
    has_style_sheet: bool = False
    script: str = ""
    icons: str = ""
    document_script: str = ""
    full_script: str = ""
    full_style: str = ""
    version: str = ""

    @property
    def html_attributes(self) -> str:
        """What the `html` element says of the whole page; `version` only where the page asks about itself."""
        shared = f' data-version="{self.version}"' if self.version else ""
        return f'lang="{escape(self.locale)}" dir="{self.direction}" data-theme="{escape(self.theme)}"{shared}'

    @property
    def body_attributes(self) -> str:
        """The words for `app.js`, each with a space before it."""
        return "".join(f' data-{name}="{escape(text)}"' for name, text in self.words.items())

    def styles(self, prefix: str) -> str:
        """Return what gives the page its look, and what has the browser ask for the next page's when it is idle."""
        relation = 'rel="stylesheet"' if self.has_style_sheet else 'rel="prefetch" as="style"'
        link = f'<link {relation} href="{prefix}{self.style_sheet}">\n' if self.style_sheet else ""
        return f"{link}<style>{self.style}</style>"

    def in_app(self, opening: str = '<div id="app">') -> str:
        """Return the element that Vue mounts into, with the page's text in it; or before it, where that comes late."""
        if optimizations.in_force().html_first or not self.content:
            return f"{opening}{self.content}</div>"
        unfolded = re.sub("</?noscript>", "", self.content)  # the first end of one would end them all
        return f"<noscript>{unfolded}</noscript>\n{opening}</div>"


def assemble(parts: DocumentParts, startup: Startup | None) -> str:
    """Return the document; without a `startup` one that needs no socket, and no script but `parts.script`."""
    prefix = startup.prefix if startup else base_path()
    return (
        f"<!doctype html>\n<html {parts.html_attributes}>\n<head>\n"
        f'<meta charset="utf-8">\n{parts.head}\n{parts.styles(prefix)}\n'
        f"{_import_map(startup, parts.nonce) if startup else ''}</head>\n"
        f"<body{parts.body_attributes}>\n{parts.in_app() if startup else _plain_content(parts)}\n"
        f"{_scripts(startup, parts) if startup else _own_script(parts, prefix)}</body>\n</html>\n"
    )


def _plain_content(parts: DocumentParts) -> str:
    return f'<div id="app">{parts.content}</div>'


def _own_script(parts: DocumentParts, prefix: str) -> str:
    scripts = (parts.script, parts.document_script) if parts.script else ()
    return "".join(f'<script defer src="{prefix}{address}"></script>\n' for address in scripts)


def _import_map(startup: Startup, nonce: str) -> str:
    """Return the import map alone; `load` in app.js asks for Vue once the text of the page is on screen."""
    return f'<script type="importmap" nonce="{nonce}">{startup.import_map}</script>\n'


def _scripts(startup: Startup, parts: DocumentParts) -> str:
    nonce = parts.nonce
    static = f"{startup.prefix}/_nicegui/{NICEGUI_VERSION}/static"
    when = "load" if optimizations.in_force().late_scripts else "loadAtOnce"
    return f"""\
<link rel="stylesheet" href="{startup.prefix}{parts.icons}">
{"".join(POPUPS.values())}
<script nonce="{nonce}">{STORAGE_STAND_IN}</script>
<script defer src="{startup.prefix}{parts.script}" nonce="{nonce}"></script>
<script type="module" nonce="{nonce}">
await front.{when}("{static}/socket.io.min.js", "{static}/nicegui.js");
const app = {startup.create_app}
{startup.components}
await front.quiet();
const kept = front.keep();
app.mount("#app");
front.restore(kept);
</script>
"""


def json_script(value: Mapping[str, object], nonce: str) -> str:
    """Return JSON-LD as a script element from which no text can break out (ASVS 1.2.3); it is data, and never run."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(JSON_SCRIPT_ESCAPES)
    given = f' nonce="{nonce}"' if nonce else ""
    return f'<script type="application/ld+json"{given}>{text}</script>'
