"""Grey shapes in the final size of what is on its way, so that nothing moves when it arrives."""

from ui.nicegui_ext.html import Tag
from ui.text.i18n import _


def skeleton(width: str, height: str) -> Tag:
    """Draw one grey shape; sizes are CSS lengths."""
    return Tag("span", classes="skeleton", aria_hidden="true").style(f"inline-size:{width};block-size:{height}")


def skeleton_line(width: str) -> None:
    """Draw a line of text that is still loading; assistive technology hears one word instead."""
    # Translators: said while a part of a page is fetched
    Tag("span", _("Loading…"), classes="visually-hidden")
    skeleton(width, "1.5em")
