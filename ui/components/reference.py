"""The id of a request, to be quoted: the one part of an error that no reader's browser may translate."""

from ui.nicegui_ext.html import Tag
from ui.text.i18n import _


def reference(identifier: str, classes: str) -> None:
    """Draw the line that names it."""
    before, _name, after = _("Reference: {reference}").partition("{reference}")
    with Tag("p", classes=classes):
        Tag("span", before)
        Tag("span", identifier, translate="no")
        if after:
            Tag("span", after)
