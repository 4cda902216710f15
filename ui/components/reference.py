"""The id of a request, to be quoted: the one part of an error that no reader's browser may translate."""

from ui.components.sentence import sentence_around
from ui.nicegui_ext.html import Tag
from ui.text.i18n import _


def reference(identifier: str, classes: str) -> None:
    """Draw the line that names it."""
    with Tag("p", classes=classes):
        sentence_around(_("Reference: {reference}"), "reference", lambda: Tag("span", identifier, translate="no"))
