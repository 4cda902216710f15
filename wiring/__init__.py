"""How the parts are put together: settings → store → other systems → use cases → pages and routes. Decides nothing.

`build.build` makes the parts, `web.register` adds the pages to NiceGUI, `web.application` is the whole: routes, guards
and pages as one ASGI app that starts and stops its parts by itself. Nothing is imported here: the commands take
`systems` alone, and NiceGUI takes half a second to import.
"""
