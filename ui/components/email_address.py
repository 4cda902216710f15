"""An e-mail address, which breaks before its `@` if it has to, and which no reader's browser may translate."""

from ui.nicegui_ext.html import Tag


def email_address(address: str) -> None:
    """Draw the address where it is called."""
    before, at, after = address.partition("@")
    with Tag("span", classes="email", translate="no"):
        Tag("span", before)
        if at:
            Tag("wbr")
            Tag("span", at + after)
