"""Buttons and links that look like buttons, and the form that starts something once.

A button that leads to Stripe is a real form: without a script or a socket it is simply posted. With them, `app.js`
marks the form busy at the first click and swallows the second, and the click goes over the socket instead.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from ui.nicegui_ext.html import Tag
from ui.theme.icons import icon

Look = Literal["primary", "tinted", "secondary", "quiet"]
"""How loudly a button asks to be pressed: one on a page is `primary`, one of a kind on each of many cards `tinted`."""
Press = Callable[[], Awaitable[None] | None]


def button(
    label: str,
    look: Look = "primary",
    *,
    href: str = "",
    on_press: Press | None = None,
    icon_name: str = "",
    icon_after: str = "",
    wide: bool = False,
    large: bool = False,
    busy_label: str = "",
    spoken: str = "",
    testid: str = "",
    submit: bool = False,
) -> Tag:
    """Draw a link (with `href`) or a button, with an icon before or after its label.

    `spoken` is its whole name where the label is short for what stands around it ("Choose" for "Choose Basic").
    """
    classes = f"button button-{look}" + (" button-wide" if wide else "") + (" button-large" if large else "")
    if href:
        made = Tag("a", classes=classes, testid=testid, href=href)
    else:
        kind = "submit" if submit else "button"
        made = Tag("button", classes=classes, testid=testid, type=kind, data_busy_label=busy_label or None)
    made.set(aria_label=spoken or None)
    with made:
        if icon_name:
            icon(icon_name)
        Tag("span", label, classes="button-label")
        if icon_after:
            icon(icon_after)
    if on_press is not None:
        made.on("click.prevent", lambda: on_press(), args=[])
    return made


class ActionForm:
    """A form with one button that starts something which must not start twice.

    `fields` are posted as they are; the server believes none of them. `on_press` is called over the socket when there
    is one. After it, the page either leaves for another address or calls `release`, and the button works again.
    """

    def __init__(
        self,
        action: str,
        fields: Mapping[str, str],
        label: str,
        *,
        busy_label: str,
        look: Look = "primary",
        wide: bool = False,
        large: bool = False,
        icon_after: str = "",
        spoken: str = "",
        testid: str = "",
        on_press: Press | None = None,
    ) -> None:
        self._attempt = 0
        self.fields: dict[str, Tag] = {}
        with Tag("form", method="post", action=action, data_once="", data_attempt="0", classes="action") as self.form:
            for name, value in fields.items():
                self.fields[name] = Tag("input", type="hidden", name=name, value=value)
            self.button = button(
                label, look, busy_label=busy_label, wide=wide, large=large, icon_after=icon_after, spoken=spoken,
                testid=testid, submit=True, on_press=on_press,
            )  # fmt: skip

    def release(self) -> None:
        """Let the button be pressed again: what it started did not lead away from this page.

        Nothing is left to do where the page drew its buttons anew meanwhile.
        """
        if self.form.is_deleted:
            return
        self._attempt += 1
        self.form.set(data_attempt=self._attempt)
