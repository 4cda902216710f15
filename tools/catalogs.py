"""Catalogs as shops have them, for scenes and tests: one plan, many, long words, other currencies, add-ons.

with selling("eight plans")(product): ...
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from harness.app_process import Product

SECONDS: Final = 20.0
"""How long the app may take to see a changed file; it looks every 1.5 s."""

SIXTY_LETTERS: Final = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunt"


def plan(name: str, month: int = 0, year: int = 0, *, currency: str = "usd", **more: Any) -> dict[str, Any]:
    """Return a paid plan as the file has it, sold by the month, by the year or both."""
    plan_id = _id_of(name)
    amounts = {"month": month, "year": year}
    return {
        "id": plan_id,
        "name": name,
        "tagline": "For one person with real work to do",
        "kind": "paid",
        "product_id": f"prod_{plan_id}",
        "prices": {
            interval: {"price_id": f"price_{plan_id}_{interval}", "amount": amount, "currency": currency}
            for interval, amount in amounts.items()
            if amount
        },
        "features": [{"text": "20 projects"}, {"text": f"Everything that {name} needs"}],
        **more,
    }


def item(name: str, amount: int, *, currency: str = "usd") -> dict[str, Any]:
    """Return something that is bought once, as the file has it."""
    item_id = _id_of(name)
    return {
        "id": item_id, "name": name, "description": f"All of {name}.", "image": "box",
        "product_id": f"prod_item_{item_id}",
        "price": {"price_id": f"price_item_{item_id}", "amount": amount, "currency": currency},
    }  # fmt: skip


def _id_of(name: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())[:40]


def catalog(*plans: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a catalog of these plans, with a table that compares them."""
    rows = [
        {"name": "API calls a month", "values": {one["id"]: "50,000" for one in plans}},
        {"name": "Backups", "values": {one["id"]: True for one in plans[1:]}},
    ]
    return {"plans": plans, "comparison": {"groups": [{"name": "Usage", "rows": rows}]}, **more}


def ladder(*names: str) -> list[dict[str, Any]]:
    """Return plans that cost more and more, the third highlighted."""
    return [
        plan(name, 900 * step, 9000 * step, highlighted=step == min(3, len(names)))
        for step, name in enumerate(names, start=1)
    ]


FREE: Final[dict[str, Any]] = {
    "id": "free", "name": "Free", "tagline": "To try", "kind": "free", "features": [{"text": "3 projects"}],
}  # fmt: skip

CATALOGS: Final[dict[str, dict[str, Any]]] = {
    "one plan": catalog(*ladder("Premium")),
    "six plans": catalog(FREE, *ladder("Basic", "Premium", "Business", "Professional", "Enterprise")),
    "eight plans": catalog(FREE, *ladder("Basic", "Plus", "Premium", "Team", "Business", "Company", "Enterprise")),
    "long words": catalog(
        *ladder(SIXTY_LETTERS, "Unternehmensverwaltung", "Internationalization Team", "Abcdefghijklmnopqrstuvwxy"),
        items=[
            item(SIXTY_LETTERS, 1_234_567, currency="jpy"), item("Abcdefghijklmnopqrstuvwxy", 99_999_999),
            item("Internationalization Team", 2_900),
        ],
        questions=[{"q": f"What is a {SIXTY_LETTERS}?", "a": SIXTY_LETTERS}],
        texts={"hero": SIXTY_LETTERS, "lead": SIXTY_LETTERS, "closing": SIXTY_LETTERS, "footer": SIXTY_LETTERS},
        links={"navigation": [{"label": "Abcdefghijklmnopqrstuvwx", "url": f"/{n}"} for n in range(3)]},
    ),
    "yen": catalog(
        FREE,
        plan("Basic", 120_000, 1_200_000, currency="jpy"),
        plan("Premium", 1_234_567, 12_345_678, currency="jpy", highlighted=True),
        tax="included",
    ),
    "yearly only": catalog(plan("Yearly", 0, 12_000, currency="eur"), tax="added"),
    "add-ons": catalog(
        FREE, *ladder("Basic", "Premium"), plan("Backup", 300, group="addons"),
        plan("Priority help", 1500, 15_000, group="addons"),
    ),
    "dearer by the year": catalog(plan("Basic", 900, 12_000), plan("Premium", 2900, 29_000), plan("Team", 1000, 9300)),
}  # fmt: skip


def selling(name: str) -> Callable[[Product], AbstractContextManager[None]]:
    """Return what puts one of the catalogs into force while a scene is open."""

    @contextmanager
    def sold(product: Product) -> Iterator[None]:
        path = Path(product.app.environment["CATALOG_PATH"])
        before = path.read_text(encoding="utf-8")
        _put(product, path, json.dumps(CATALOGS[name]))
        try:
            yield
        finally:
            _put(product, path, before)

    return sold


def _put(product: Product, path: Path, text: str) -> None:
    """Write the file, and wait until the app sells what it says."""
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    wanted = [one["id"] for one in json.loads(text)["plans"]]
    end = time.monotonic() + SECONDS
    while _sold(product) != wanted:
        if time.monotonic() > end:
            raise TimeoutError(f"the app does not sell {wanted}")
        time.sleep(0.1)


def _sold(product: Product) -> list[str]:
    answer = httpx.get(f"{product.url}/api/catalog", timeout=10.0, trust_env=False)
    answer.raise_for_status()
    return [plan["id"] for plan in answer.json()["plans"]]
