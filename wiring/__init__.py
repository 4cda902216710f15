"""How the parts are put together: settings → store → other systems → use cases → pages and routes. Decides nothing.

`build` makes the parts, `register` adds the pages to NiceGUI, `application` is the whole: routes, guards and pages as
one ASGI app that starts and stops its parts by itself.
"""

from wiring.build import build
from wiring.web import PAGES, application, register

__all__ = ["PAGES", "application", "build", "register"]
