"""Money, dates and what happens to a subscription are put into words in one place: `ui/text/`, from claims."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
RENDERER = ROOT / "ui" / "text"

FORMATTERS = {"format_money", "format_currency", "format_date", "format_datetime", "format_time", "strftime"}
"""What turns an amount or a date into text."""

STATEMENTS = re.compile(
    r"\b(renew(s|ed|al)?|will be charged|you'll be charged|paid until|trial ends|ends (on|soon)|ended on|"
    r"free until|nothing to pay|was given to you|on the free plan|paying twice)\b",
    re.IGNORECASE,
)
"""Words by which a sentence says what happens to money or to a subscription."""

ALLOWED = {
    "One-time purchases: no subscription, nothing renews.": "what is sold in the shop, not what anybody has",
    "{amount} once. Nothing renews.": "the same, beside the button",
}
"""Texts outside the renderer that may use such words, each with the reason."""


def sources() -> list[Path]:
    """Return our modules that pages and routes are made of, apart from the renderer."""
    found = [path for folder in ("ui", "api") for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if RENDERER not in path.parents]


def texts_for_users(tree: ast.AST) -> list[str]:
    """Return what is marked for translation: all that a user reads."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    marked = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id in {"_", "N_", "ngettext"})
    parts = (part for call in marked for part in call.args)
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def test_nothing_outside_the_renderer_writes_an_amount_or_a_date() -> None:
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if name in FORMATTERS:
                found.append(f"{path.relative_to(ROOT)}: {name}")

    assert found == []


def test_nothing_outside_the_renderer_says_what_happens_to_money() -> None:
    found = {
        text: str(path.relative_to(ROOT))
        for path in sources()
        for text in texts_for_users(ast.parse(path.read_text(encoding="utf-8")))
        if STATEMENTS.search(text) and text not in ALLOWED
    }

    assert found == {}


def test_no_exception_is_left_over() -> None:
    said = {text for path in sources() for text in texts_for_users(ast.parse(path.read_text(encoding="utf-8")))}

    assert said >= ALLOWED.keys()


def test_a_sentence_about_a_renewal_would_be_found() -> None:
    tree = ast.parse('Tag("p", _("Renews on {date} for {amount}."))')

    assert [text for text in texts_for_users(tree) if STATEMENTS.search(text)] == ["Renews on {date} for {amount}."]
