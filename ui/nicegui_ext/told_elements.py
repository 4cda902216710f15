"""What the browser is told of a page's elements, as text for the script that starts the page.

NiceGUI writes it too, and escapes it letter by letter (`str.translate`), which takes a tenth of the time of a page as
large as `/payment`. So its answer is asked for with the elements alone that need a script of their own, and all of
them are put in here. `template.KNOWN_STARTUPS` holds the releases whose script reads it as it is written here.

Written against NiceGUI 3.18, whose `Client.build_response` can't be asked for a page without its elements.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from nicegui import Client, json

ESCAPES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("`", "&#96;"), ("$", "&#36;"))
"""What would end the script or the text in it; the first one is of the others' making, and must come first."""


def told_in_script(client: Client) -> str:
    """Return what the browser is told of all elements, as `parseElements` of nicegui.js reads it."""
    text = json.dumps({number: element._to_dict() for number, element in client.elements.items()})
    for letter, escaped in ESCAPES:
        text = text.replace(letter, escaped)
    return text


@contextmanager
def scripted_alone(client: Client) -> Iterator[None]:
    """Let NiceGUI see only the elements that bring a script, inside the block: what to import is read from them."""
    drawn = client.elements
    client.elements = {number: element for number, element in drawn.items() if element.component is not None}
    try:
        yield
    finally:
        client.elements = drawn
