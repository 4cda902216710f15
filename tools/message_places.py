"""Where texts stand on pages, as far as the code says it: what translators have to know of a text of two words.

A verb on a button, a noun in a headline: many languages write the two differently, and the text alone does not tell.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

MARKS: Final = frozenset({"_", "N_"})
BUTTONS: Final = frozenset({"button", "ActionForm", "ButtonSpec", "checkout_button", "portal_button", "contact_button"})
HEADLINES: Final = frozenset({"h1", "h2", "h3"})

ON_BUTTON: Final = "On a button."
ON_PRESSED_BUTTON: Final = "On a button that was pressed."
HEADLINE: Final = "A headline."


def places(files: Iterable[Path]) -> Mapping[str, list[str]]:
    """Return for each text where it stands; nothing for one whose place the code does not tell."""
    found: dict[str, list[str]] = {}
    for path in files:
        for text, place in _places(ast.parse(path.read_text(encoding="utf-8"))):
            if place not in found.setdefault(text, []):
                found[text].append(place)
    return {text: sorted(each) for text, each in found.items()}


def _places(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for shown, place in _of_call(node):
                yield from ((text, place) for text in _texts(shown))
        elif isinstance(node, ast.Dict):  # the words of actions
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Attribute) and isinstance(key.value, ast.Name) and key.value.id == "Action":
                    yield from ((text, ON_BUTTON) for text in _texts(value))
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "title" for t in node.targets):
            yield from ((text, HEADLINE) for text in _texts(node.value))  # of an error


def _of_call(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    """Yield what a call shows, and where."""
    name = _name(call)
    if name in BUTTONS:
        yield from ((shown, ON_BUTTON) for shown in call.args)
        yield from ((keyword.value, ON_PRESSED_BUTTON) for keyword in call.keywords if keyword.arg == "busy_label")
    elif name == "card_page":
        yield from ((shown, HEADLINE) for shown in call.args[2:3])
    elif name == "Tag" and isinstance(call.args[0], ast.Constant) and call.args[0].value in HEADLINES:
        yield from ((shown, HEADLINE) for shown in call.args[1:2])


def _texts(shown: ast.expr) -> Iterator[str]:
    """Yield the marked texts of an expression."""
    for node in ast.walk(shown):
        if isinstance(node, ast.Call) and _name(node) in MARKS and node.args:
            text = node.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""
