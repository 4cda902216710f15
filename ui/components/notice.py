"""News that stays on the page: what happened, what to do, and perhaps one button. Never a toast that fades.

A notice that appears while a user looks says so to assistive technology by itself (`role`); a page that answers an
action with one moves the focus into it with `focus=True`.
"""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from ui.nicegui_ext.html import Tag
from ui.theme.icons import icon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = Literal["info", "success", "warning", "danger"]

ICONS: Final[dict[Kind, str]] = {
    "info": "information-circle",
    "success": "check-circle",
    "warning": "exclamation-triangle",
    "danger": "exclamation-circle",
}


@contextmanager
def notice(
    kind: Kind, sentence: "str | Callable[[], object]", *, title: str = "", focus: bool = False
) -> "Iterator[Tag]":
    """Draw a notice; what is drawn inside the block stands at its end (a button, a link).

    A `sentence` that is a function draws it: for whoever changes its words later.
    `focus` lets `app.js` move the focus here once the notice is on the page.
    """
    with Tag(
        "div",
        classes=f"notice notice-{kind}",
        testid="notice",
        data_kind=kind,
        role="alert" if kind == "danger" else "status",
        tabindex="-1",
        data_focus="" if focus else None,
    ) as box:
        icon(ICONS[kind])
        with Tag("div", classes="notice-body"):
            with Tag("div"):
                if title:
                    Tag("p", title, classes="notice-title")
                if isinstance(sentence, str):
                    Tag("p", sentence)
                else:
                    sentence()
            yield box
