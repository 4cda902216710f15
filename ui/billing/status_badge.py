"""A subscription's state as a badge: icon, word and colour, in that order of importance."""

from ui.nicegui_ext.html import Tag
from ui.text.state_words import StateWords


class StatusBadge:
    """The badge. `data-state` is the model's word, `data-shown` the row of `ui/text/states.py`."""

    def __init__(self, words: StateWords, *, testid: str = "subscription-status") -> None:
        with Tag("span", classes="badge", testid=testid) as self._pill:
            self._icon = Tag("span", classes="icon", aria_hidden="true")
            self._word = Tag("span", "")
        self.show(words)

    def show(self, words: StateWords) -> None:
        """Show another state, in place."""
        self._pill.classes(replace=f"badge badge-{words.tone}")
        self._pill.set(data_state=words.state, data_shown=words.shown)
        self._icon.classes(replace=f"icon icon-{words.icon}")
        self._word.set_text(words.badge)
