"""A short word in a pill: a state, "Current plan", "Most popular". Its words carry the meaning, not its colour."""

from ui.nicegui_ext.html import Tag
from ui.theme.icons import icon
from ui.theme.tones import Tone


def badge(text: str, tone: Tone = "neutral", *, icon_name: str = "", testid: str = "", data_state: str = "") -> Tag:
    """Draw a badge; `data_state` is for automation and tests."""
    with Tag("span", classes=f"badge badge-{tone}", testid=testid, data_state=data_state or None) as pill:
        if icon_name:
            icon(icon_name)
        Tag("span", text)
    return pill
