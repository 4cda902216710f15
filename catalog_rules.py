"""Rules between the entries of `products.json` that types alone can't say, read from the raw JSON.

They run even where single fields are wrong, so that an operator sees all problems of the file at once.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

UNLIMITED: Final = "unlimited"
"""Stands in a number's place where there is no limit."""

Located = tuple[str, dict[str, Any]]

UNION_PARTS: Final = frozenset(("Text", "bool", "int", "[key]"))
"""Parts of pydantic's places that name a type, not a field."""

LONGEST_LABEL: Final = 24
LONGEST_SENTENCES: Final = 300
LONGEST_TEXTS: Final = {"hero": 90, "pricing": 90, "closing": 90, "most_popular": 24, "meta_title": 60}
"""Letters for which pages have room."""


EXPECTED: Final = {
    "Expecting ',' delimiter": "a comma, or the bracket that ends this list or object",
    "Expecting ':' delimiter": "a colon between a name and its value",
    "Expecting property name": "a name in double quotes; look for a comma too many before it",
    "Illegal trailing comma": "no comma before the closing bracket",
    "Expecting value": "a value (a text in double quotes, a number, true, false, null, a list, an object)",
    "Unterminated string": "a double quote at the end of the text that begins here",
    "Invalid control character": "a double quote before the line ends; a new line inside a text is \\n",
    "Invalid \\": "a backslash to be written twice, or one of \\n, \\t, \\u and four digits",
    "Extra data": "the end of the file: all of it was closed before",
    "Unexpected UTF-8 BOM": "a file without a byte-order mark; save it as plain UTF-8",
}
"""What should have stood there, by the beginning of what Python's JSON reader says."""


@dataclass(frozen=True)
class CatalogProblem:
    """One fault of the file: where it is, what stands there and what is wrong with it."""

    field: str
    value: object
    reason: str

    def __str__(self) -> str:
        shown = repr(self.value)
        return f"{self.field}: {shown if len(shown) <= 80 else shown[:77] + '...'}: {self.reason}"


def read_json(text: str | bytes) -> tuple[object, list[CatalogProblem]]:
    """Return a JSON text's value, and a problem for each key that stands twice in one object.

    Raises ValueError (or RecursionError, when it is nested too deep) if it is no JSON.
    """
    repeated: list[CatalogProblem] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in pairs:
            if key in found:
                repeated.append(CatalogProblem(key, value, "stands twice in one object"))
            found[key] = value
        return found

    return json.loads(text, object_pairs_hook=once), repeated


def problem_of_json(error: ValueError | RecursionError) -> CatalogProblem:
    """Return where a text stops being JSON, as line and column, what stands in that line, and what was expected."""
    if not isinstance(error, json.JSONDecodeError):
        reason = "is not UTF-8 text" if isinstance(error, UnicodeError) else "is nested too deep"
        return CatalogProblem("the file", "", reason)
    line = "".join(error.doc.split("\n")[error.lineno - 1 : error.lineno]).strip()
    wanted = next((words for begin, words in EXPECTED.items() if error.msg.startswith(begin)), error.msg)
    return CatalogProblem(f"line {error.lineno}, column {error.colno}", line, f"is not JSON: expected {wanted}")


def problems_in(error: ValidationError) -> Iterator[CatalogProblem]:
    """Yield what is wrong with single fields, one problem a field, written as in `plans[2].prices.year.amount`."""
    seen: set[str] = set()
    for details in error.errors(include_url=False):
        place = ""
        for part in details["loc"]:
            if isinstance(part, int):
                place += f"[{part}]"
            elif part not in UNION_PARTS and not part.startswith(("constrained-str", "dict[", "function-")):
                place += f".{part}" if place else part
        # A list whose entries are wrong is also called too short: the entries' own problems say it better.
        spurious = details["type"] == "too_short" and details["input"]
        if place not in seen and not spurious:
            seen.add(place)
            value = None if details["type"] == "missing" else details["input"]
            reason = details["msg"].removeprefix("Value error, ")
            yield CatalogProblem(place or "the file", value, reason[:1].lower() + reason[1:])


def problems_between(raw: object) -> Iterator[CatalogProblem]:
    """Yield every problem that shows only when entries or fields are looked at together."""
    plans, items = list(_entries(raw, "plans")), list(_entries(raw, "items"))
    yield from _repeated(plans, items)
    yield from _highlights(plans)
    yield from _inclusions(plans)
    for place, plan in plans:
        yield from _plan_kind(place, plan)
        yield from _plan_prices(place, plan)
    for place, item in items:
        yield from _item(place, item)
    features = {entry["key"]: entry for _, entry in _entries(raw, "features") if isinstance(entry.get("key"), str)}
    yield from _twice(_values(list(_entries(raw, "features")), "key"))
    yield from _grants(plans, features)
    yield from _texts(raw)
    yield from _links(raw)
    yield from _comparison(raw, {plan.get("id") for _, plan in plans if isinstance(plan.get("id"), str)}, features)


def _links(raw: object) -> Iterator[CatalogProblem]:
    """Yield each address that is linked to twice in one place, and each label that the header has no room for."""
    named = raw.get("links") if isinstance(raw, dict) else None
    named = named if isinstance(named, dict) else {}
    navigation, footer = list(_entries(raw, "links", "navigation")), list(_entries(raw, "links", "footer"))
    single = [(f"links.{name}", value) for name, value in named.items() if isinstance(value, str)]
    yield from _twice([*single, *_values(footer, "url")])
    yield from _twice(_values(navigation, "url"))
    for place, link in navigation:
        yield from _longer_than(f"{place}.label", link.get("label"), LONGEST_LABEL)


def _texts(raw: object) -> Iterator[CatalogProblem]:
    """Yield each text that its place on the pages has no room for, in any language."""
    texts = raw.get("texts") if isinstance(raw, dict) else None
    for name, text in texts.items() if isinstance(texts, dict) else ():
        yield from _longer_than(f"texts.{name}", text, LONGEST_TEXTS.get(name, LONGEST_SENTENCES))


def _longer_than(place: str, text: object, longest: int) -> Iterator[CatalogProblem]:
    for where, words in text.items() if isinstance(text, dict) else (("", text),):
        if isinstance(words, str) and len(words) > longest:
            reason = f"has {len(words)} letters; there is room for {longest}"
            yield CatalogProblem(f"{place}.{where}" if where else place, words, reason)


def _entries(raw: object, *keys: str) -> Iterator[Located]:
    """Yield the objects in a list, or in an object's values, with their places."""
    place = ".".join(keys)
    for key in keys:
        raw = raw.get(key) if isinstance(raw, dict) else None
    if isinstance(raw, list):
        yield from ((f"{place}[{index}]", entry) for index, entry in enumerate(raw) if isinstance(entry, dict))


def _prices(place: str, plan: dict[str, Any]) -> list[Located]:
    prices = plan.get("prices")
    if not isinstance(prices, dict):
        return []
    return [(f"{place}.prices.{name}", price) for name, price in prices.items() if isinstance(price, dict)]


def _repeated(plans: list[Located], items: list[Located]) -> Iterator[CatalogProblem]:
    prices = [found for place, plan in plans for found in _prices(place, plan)]
    prices += [(f"{place}.price", item["price"]) for place, item in items if isinstance(item.get("price"), dict)]
    named = {
        "id of a plan": _values(plans, "id"),
        "id of an item": _values(items, "id"),
        "product": [*_values(plans + items, "product_id"), *_listed(plans, "former_product_ids")],
        "price": [*_values(prices, "price_id"), *_listed(plans, "former_price_ids")],
    }
    for found in named.values():
        yield from _twice(found)
    yield from _ambiguous(plans, prices)


def _values(entries: list[Located], name: str) -> list[tuple[str, str]]:
    return [(f"{place}.{name}", entry[name]) for place, entry in entries if isinstance(entry.get(name), str)]


def _listed(entries: list[Located], name: str) -> list[tuple[str, str]]:
    """Return the texts in the entries' lists of this name, with their places."""
    lists = ((f"{place}.{name}", entry.get(name)) for place, entry in entries)
    return [
        (f"{place}[{index}]", value)
        for place, values in lists
        if isinstance(values, list)
        for index, value in enumerate(values)
        if isinstance(value, str)
    ]


def _twice(found: list[tuple[str, str]]) -> Iterator[CatalogProblem]:
    seen: dict[str, str] = {}
    for place, value in found:
        if seen.setdefault(value, place) != place:
            yield CatalogProblem(place, value, f"stands already at {seen[value]}; give each its own")


def _ambiguous(plans: list[Located], prices: list[Located]) -> Iterator[CatalogProblem]:
    """Yield each alias that means something else already: an account's word must lead to one plan."""
    meant = [*_values(plans, "id"), *_values(plans, "product_id"), *_values(prices, "price_id")]
    meant += [*_listed(plans, "former_product_ids"), *_listed(plans, "former_price_ids")]
    seen = {value.strip().casefold(): place for place, value in reversed(meant)}
    for place, value in _listed(plans, "also_known_as"):
        word = value.strip().casefold()
        if seen.setdefault(word, place) != place:
            yield CatalogProblem(place, value, f"means {seen[word]} already; a word leads to one plan")


def _highlights(plans: list[Located]) -> Iterator[CatalogProblem]:
    offered = [(place, plan) for place, plan in plans if plan.get("retired") is not True]
    first, *others = [place for place, plan in offered if plan.get("highlighted") is True] or [""]
    for place in others:
        yield CatalogProblem(f"{place}.highlighted", True, f"{first} is highlighted already; highlight one plan")


def _inclusions(plans: list[Located]) -> Iterator[CatalogProblem]:
    includes = {plan["id"]: plan.get("includes") for _, plan in plans if isinstance(plan.get("id"), str)}
    for place, plan in plans:
        wanted = plan.get("includes")
        if not isinstance(wanted, str):
            continue
        if wanted not in includes:
            yield CatalogProblem(f"{place}.includes", wanted, "there is no plan of this id")
            continue
        chain: list[object] = [plan.get("id")]
        while isinstance(wanted, str) and wanted not in chain:
            chain.append(wanted)
            wanted = includes.get(wanted)
        if isinstance(wanted, str) and wanted == plan.get("id"):
            yield CatalogProblem(f"{place}.includes", plan["includes"], "this plan includes itself in the end")


def _plan_kind(place: str, plan: dict[str, Any]) -> Iterator[CatalogProblem]:
    kind, prices, product = plan.get("kind"), plan.get("prices"), plan.get("product_id")
    if kind == "paid" and plan.get("retired") is True:
        return  # it is sold to nobody: its name, and the ids under which somebody may have it, are enough
    if kind == "paid":
        if not prices:
            yield CatalogProblem(f"{place}.prices", prices, "a paid plan needs a price for month or year")
        if product is None:
            yield CatalogProblem(f"{place}.product_id", product, "a paid plan needs its Stripe product")
    elif kind in ("free", "contact"):
        if prices:
            yield CatalogProblem(f"{place}.prices", prices, f"a {kind} plan has no prices")
        if product is not None:
            yield CatalogProblem(f"{place}.product_id", product, f"a {kind} plan has no Stripe product")
    if kind == "contact" and plan.get("contact_url") is None:
        yield CatalogProblem(f"{place}.contact_url", None, "a contact plan needs an address to write to")


def _plan_prices(place: str, plan: dict[str, Any]) -> Iterator[CatalogProblem]:
    prices = dict(_prices(place, plan))
    month, year = prices.get(f"{place}.prices.month"), prices.get(f"{place}.prices.year")
    if month and year and month.get("currency") != year.get("currency"):
        reason = f"the monthly price is in {month.get('currency')}; use one currency for both"
        yield CatalogProblem(f"{place}.prices.year.currency", year.get("currency"), reason)
    for where, price in prices.items():
        interval = price.get("interval")
        if interval is not None and not where.endswith(f".{interval}"):
            yield CatalogProblem(f"{where}.interval", interval, "differs from the key that it stands under")


def _item(place: str, item: dict[str, Any]) -> Iterator[CatalogProblem]:
    price = item.get("price")
    if isinstance(price, dict):
        if price.get("interval") is not None:
            yield CatalogProblem(
                f"{place}.price.interval", price["interval"], "an item is paid once; use a plan for more"
            )
        if price.get("trial_days"):
            yield CatalogProblem(f"{place}.price.trial_days", price["trial_days"], "an item has no trial")
        for name in ("retired", "until"):
            if price.get(name):
                reason = "an item is sold as long as it stands here; take it out to sell it no more"
                yield CatalogProblem(f"{place}.price.{name}", price[name], reason)
    image = item.get("image")
    if isinstance(image, str) and ".." in image.split("/"):
        yield CatalogProblem(f"{place}.image", image, "must stay in the catalog's folder, without ..")
    least, most = item.get("min_quantity", 1), item.get("max_quantity", 10)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield CatalogProblem(f"{place}.min_quantity", least, f"is above max_quantity, which is {most}")


def _grants(plans: list[Located], features: Mapping[str, dict[str, Any]]) -> Iterator[CatalogProblem]:
    """Yield each grant of a feature that there is not, of another kind, or of less than an included plan's."""
    included = {plan.get("id"): plan for _, plan in plans if isinstance(plan.get("id"), str)}
    for place, plan in plans:
        grants = plan.get("grants")
        for key, value in grants.items() if isinstance(grants, dict) else ():
            where = f"{place}.grants.{key}"
            if key not in features:
                yield CatalogProblem(where, value, "there is no feature of this key")
            elif reason := _wrong_kind(features[key].get("kind"), value):
                yield CatalogProblem(where, value, reason)
            elif _is_less(value, before := _inherited(plan, key, included)):
                reason = f"the plan that this one includes grants {before!r}; a plan has all that it includes"
                yield CatalogProblem(where, value, reason)


def _wrong_kind(kind: object, value: object) -> str:
    """Return what is wrong with a grant of a feature of this kind, or nothing."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if kind == "flag" and not isinstance(value, bool):
        return "the feature is a flag: true or false"
    if kind == "number" and not (is_number or value == UNLIMITED):
        return f"the feature is a number: a whole one from 0, or {UNLIMITED!r}"
    if kind == "text" and (isinstance(value, bool) or is_number):
        return "the feature is a text: a string, or one for each language"
    return ""


def _inherited(plan: dict[str, Any], key: str, plans: Mapping[object, dict[str, Any]]) -> object:
    """Return what the plans that this one includes grant of a feature; None without a word."""
    seen: set[object] = {plan.get("id")}
    wanted = plan.get("includes")
    while isinstance(wanted, str) and wanted in plans and wanted not in seen:
        seen.add(wanted)
        grants = plans[wanted].get("grants")
        if isinstance(grants, dict) and key in grants:
            return grants[key]
        wanted = plans[wanted].get("includes")
    return None


def _is_less(value: object, before: object) -> bool:
    if isinstance(value, bool) or isinstance(before, bool):
        return before is True and value is False
    if isinstance(value, int):
        return before == UNLIMITED or (isinstance(before, int) and value < before)
    return False


def _comparison(raw: object, plans: set[object], features: Mapping[str, object]) -> Iterator[CatalogProblem]:
    for group_place, group in _entries(raw, "comparison", "groups"):
        for row_place, row in _entries(group, "rows"):
            place = f"{group_place}.{row_place}"
            yield from _row(place, row, features)
            values = row.get("values")
            for plan, value in values.items() if isinstance(values, dict) else ():
                if plan not in plans:
                    yield CatalogProblem(f"{place}.values.{plan}", value, "there is no plan of this id")


def _row(place: str, row: dict[str, Any], features: Mapping[str, object]) -> Iterator[CatalogProblem]:
    feature = row.get("feature")
    if feature is None:
        for name in ("name", "values"):
            if row.get(name) is None:
                yield CatalogProblem(f"{place}.{name}", None, "field required, unless the row names a feature")
    elif isinstance(feature, str) and feature not in features:
        yield CatalogProblem(f"{place}.feature", feature, "there is no feature of this key")
    if feature is not None and row.get("values"):
        yield CatalogProblem(f"{place}.values", row["values"], "the feature's values are what the plans grant")
