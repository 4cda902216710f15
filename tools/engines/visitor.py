"""What a visitor does in a page, with trusted events only: look, press, type, go on by keyboard."""

import re
from collections.abc import Sequence
from typing import Final, cast

from tools.chromium import CONNECTED
from tools.engines.engine import Action, Engine, EngineFailed, awaited

SECONDS: Final = 30.0
MOST_TABS: Final = 60
KEYS: Final = {
    "Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Space": " ", "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015",
}  # fmt: skip

SHOWN: Final = """(id) => [...document.querySelectorAll(`[data-testid="${id}"]`)].find((each) =>
    each.getClientRects().length > 0 && getComputedStyle(each).visibility === "visible")"""
"""The first element with a test id that is drawn."""

TARGET: Final = f"""(id) => {{
    const found = ({SHOWN})(id);
    const pressed = found?.matches("input[type=radio]") ? (found.closest("label") ?? found) : found;
    if (!pressed || found.disabled || found.getAttribute("aria-disabled") === "true") return null;
    pressed.scrollIntoView({{block: "center", behavior: "instant"}});
    const box = pressed.getBoundingClientRect();
    const [x, y] = [Math.floor(box.x + box.width / 2), Math.floor(box.y + box.height / 2)];
    const hit = document.elementFromPoint(x, y);
    return hit && (pressed.contains(hit) || hit.contains(pressed)) ? [x, y] : null;
}}"""
"""Where to press: only where the element itself would take the press."""

FOCUS: Final = """(id) => {
    const element = document.activeElement, css = `[data-testid="${id}"]`;
    const found = element.matches(css) || (element.matches("summary") && element.querySelector(css) !== null);
    const shown = element.matches("input[type=radio]") ? (element.closest("label") ?? element) : element;
    const styles = [getComputedStyle(shown), getComputedStyle(element)];
    const ring = styles.some((each) => each.outlineStyle !== "none" && parseFloat(each.outlineWidth) >= 2);
    return [found, element.outerHTML.slice(0, 90), ring || element === document.body];
}"""


class BrowserVisitor:
    """Somebody at a browser, and the product's address."""

    def __init__(self, engine: Engine, url: str) -> None:
        self.engine = engine
        self._url = url

    def open(self, path: str) -> None:
        """Open one of the product's pages and wait until it answers its reader."""
        self.engine.go(f"{self._url}{path}")
        self.until(f"() => {CONNECTED}", what=f"{path} connected")

    def until(self, function: str, *arguments: str, what: str = "") -> object:
        """Wait until a function of the page returns something true, over changes of pages; return it."""
        return awaited(
            lambda: self._told(function, *arguments) or None, f"{what or function}; {self._where()}", SECONDS
        )

    def at(self, pattern: str) -> str:
        """Wait until the address fits, and the page there is loaded; return it."""
        here = "(pattern) => document.readyState === 'complete' && RegExp(pattern).test(location.href) && location.href"
        return str(self.until(here, pattern, what=f"at {pattern}"))

    def press(self, testid: str) -> None:
        """Press an element, once it is drawn, at rest, and not covered."""
        before: list[object] = []

        def at_rest() -> Sequence[int] | None:
            before.append(self._told(TARGET, testid))
            return cast(Sequence[int], before[-1]) if before[-1] and before[-2:-1] == before[-1:] else None

        x, y = awaited(at_rest, f"something to press at {testid}; {self._where()}", SECONDS)
        moves = [
            {"type": "pointerMove", "x": x, "y": y, "duration": 0},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse: Action = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": moves}
        self.engine.perform(mouse)

    def key(self, name: str) -> None:
        """Press a key by its name."""
        self.write(KEYS[name])

    def write(self, text: str) -> None:
        """Type where the focus is."""
        strokes = [{"type": kind, "value": each} for each in text for kind in ("keyDown", "keyUp")]
        self.engine.perform({"type": "key", "id": "keyboard", "actions": strokes})

    def fill(self, testid: str, text: str) -> None:
        """Press a field, clear it, and type."""
        self.press(testid)
        chosen = f"(id) => {{ const field = ({SHOWN})(id); field.select(); return field === document.activeElement; }}"
        self.until(chosen, testid, what=f"{testid} has the focus")
        self.write(text)

    def tab_to(self, testid: str) -> None:
        """Press Tab until that element has the focus. Raises EngineFailed where a stop on the way doesn't show it."""
        for _press in range(MOST_TABS):
            self.key("Tab")
            found, html, ring = cast(tuple[bool, str, bool], self.engine.evaluate(FOCUS, testid))
            if not ring:
                raise EngineFailed(f"a stop without a ring: {html}")
            if found:
                return
        raise EngineFailed(f"no {testid} within {MOST_TABS} stops; {self._where()}")

    def reads(self, testid: str, words: str) -> str:
        """Wait until an element's text has these words (a regular expression); return the text."""
        return self._reads(f"(id) => ({SHOWN})(id)?.innerText ?? ''", testid, words)

    def main_reads(self, words: str) -> str:
        """Wait until the page's main content has these words; return it."""
        return self._reads("() => document.querySelector('main')?.innerText ?? ''", "", words)

    def state(self, testid: str, wanted: str) -> None:
        """Wait until an element tells that state."""
        told = f"(id, wanted) => ({SHOWN})(id)?.dataset.state === wanted"
        self.until(told, testid, wanted, what=f"{testid} {wanted}")

    def _reads(self, function: str, testid: str, words: str) -> str:
        last: list[str] = [""]

        def fits() -> str | None:
            last[0] = str(self._told(function, testid) or "")
            return last[0] if re.search(words, last[0], re.IGNORECASE) else None

        try:
            return awaited(fits, f"{words} in {testid or 'main'}", SECONDS)
        except EngineFailed as error:
            raise EngineFailed(f"{error}; {self._where()}, it reads {last[0]!r}") from error

    def _told(self, function: str, *arguments: str) -> object:
        try:
            return self.engine.evaluate(function, *arguments)
        except EngineFailed:  # between two pages
            return None

    def _where(self) -> str:
        seen = "() => `${location.href}, where ${document.activeElement?.outerHTML.slice(0, 120)} has the focus`"
        return f"last at {self._told(seen)}"
