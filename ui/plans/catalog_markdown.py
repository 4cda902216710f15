"""The catalog as Markdown, for agents and tools: what the pages say, made by the same formatters."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode, urljoin

from catalog import Interval, Item, Plan, Price
from services.claims import ClaimKind, offer_claims
from ui.page.catalog_reader import CatalogReader
from ui.page.own_links import footer_links
from ui.page.site_notice import not_sold
from ui.plans import catalog_words
from ui.plans.comparison import compared
from ui.plans.feature_words import row_name, row_value, shown_groups
from ui.plans.offers import free_words, unfolded
from ui.plans.price import tax_words
from ui.plans.savings import saving_words
from ui.text.amounts import bare_price, price_words
from ui.text.claim_words import Reader, due_sentence
from ui.text.i18n import _

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|]|^[#+-]|(?<=^\d)[.)])")
"""What Markdown reads as more than a letter: anywhere, or where a line begins."""


def markdown(reader: CatalogReader) -> str:
    """Return all that is offered: plans, the comparison, items, questions. The language at work is the reader's."""
    parts = [*_head(reader), *_plans(reader), *_comparison(reader), *_items(reader), *_questions(reader)]
    links = [f"- [{inline(words)}]({absolute(reader, address)})" for address, words in footer_links(reader)]
    return "\n\n".join([*parts, "\n".join(links)]) + "\n"


def inline(text: str) -> str:
    """Return a text as one line that means nothing in Markdown but itself."""
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))


def absolute(reader: CatalogReader, address: str) -> str:
    """Return an address as it is reached from elsewhere, fit to stand in a link."""
    base = reader.settings.public_url
    whole = f"{base}{address}" if address.startswith("/") else urljoin(f"{base}/", address)
    return whole.replace(" ", "%20").replace("(", "%28").replace(")", "%29")


def _head(reader: CatalogReader) -> Iterator[str]:
    catalog = reader.catalog
    yield f"# {inline(reader.settings.brand_name)}: {inline(_('Plans and prices'))}"
    yield f"> {inline(catalog_words.lead(catalog))}"
    said = [not_sold(reader.settings), tax_words(catalog), _("Billing is handled by Stripe. We never see your card.")]
    promised = (reader.text(promise) for promise in catalog.promises.others)
    yield inline(" ".join(words for words in (*said, *promised) if words))


def _plans(reader: CatalogReader) -> Iterator[str]:
    sold = [plan for plan in reader.catalog.on_sale if plan.kind != "contact"]
    spoken = [plan for plan in reader.catalog.on_sale if plan.kind == "contact"]
    for place, group in enumerate(catalog_words.in_groups(sold)):
        yield f"## {_('Plans') if place == 0 else _('Also available')}"
        for plan in [*group, *(spoken if place == 0 else ())]:
            yield from _plan(reader, plan)


def _plan(reader: CatalogReader, plan: Plan) -> Iterator[str]:
    name = inline(reader.text(plan.name))
    yield f"### {name}"
    yield inline(reader.text(plan.tagline))
    if facts := [*_prices(reader, plan)]:
        yield "\n".join(f"- {inline(fact)}" for fact in facts)
    shown, included = unfolded(reader, reader.catalog, plan)
    begins = _("Everything in {plan}, plus").format(plan=reader.text(included.name)) if included else _("What you get")
    if shown.features:
        said = (_noted(reader.text(line.text), reader.text(line.note)) for line in shown.features)
        yield "\n".join([f"{inline(begins)}:", "", *(f"- {inline(line)}" for line in said)])
    yield "\n".join(f"[{inline(words)}]({absolute(reader, address)})" for address, words in _ways_in(reader, plan))


def _prices(reader: CatalogReader, plan: Plan) -> Iterator[str]:
    if plan.kind == "free":
        yield free_words(reader.catalog)
    saving = reader.catalog.yearly_saving(plan)
    for price in plan.offered.values():
        words = f"{price_words(price, reader.locale)} ({price.currency.upper()})"
        yearly = f" · {saving_words(saving)}" if saving is not None and price.interval is Interval.YEAR else ""
        yield f"{words}{yearly}{_trial(reader, plan, price)}"


def _trial(reader: CatalogReader, plan: Plan, price: Price) -> str:
    """Return what is free before a price is due; without a trial the price has said all."""
    claims = offer_claims(plan, price, None, datetime.now(UTC), tax=reader.catalog.tax)
    if all(claim.says is not ClaimKind.TRIAL_OFFERED for claim in claims):
        return ""
    return f" · {due_sentence(claims, Reader.at(reader.catalog, reader.locale, 'UTC'))}"


def _ways_in(reader: CatalogReader, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield where the plan is begun: the address, and what its link says."""
    if plan.kind == "contact":
        yield plan.contact_url or reader.settings.support_url or "/", _("Talk to us")
    elif plan.kind == "free":
        yield "/login?next=/payment", _("Start free")
    else:
        interval = next(iter(plan.offered))
        query = urlencode({"plan": plan.id, "interval": interval})
        yield f"/payment?{query}", _("Choose {plan}").format(plan=reader.text(plan.name))


def _comparison(reader: CatalogReader) -> Iterator[str]:
    plans, groups = compared(reader.catalog), shown_groups(reader, reader.catalog)
    if not groups or len(plans) < 2:
        return
    yield f"## {_('Compare plans')}"
    rows = [["", *(inline(reader.text(plan.name)) for plan in plans)], ["---"] * (len(plans) + 1)]
    for group in groups:
        rows.append([f"**{inline(reader.text(group.name))}**", *([""] * len(plans))])
        for row in group.rows:
            values = (row_value(reader, reader.catalog, row, plan) for plan in plans)
            name = _noted(row_name(reader, reader.catalog, row), reader.text(row.note))
            rows.append([inline(name), *(inline(_value(value)) for value in values)])
    yield "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _noted(text: str, note: str) -> str:
    return f"{text} ({note})" if note else text


def _value(value: bool | str) -> str:
    if isinstance(value, str):
        return value
    return _("Yes") if value else _("No")


def _items(reader: CatalogReader) -> Iterator[str]:
    if not reader.catalog.items:
        return
    yield f"## {_('Shop')}"
    yield inline(_("One-time purchases: no subscription, nothing renews."))
    for item in reader.catalog.items:
        yield f"### {inline(reader.text(item.name))}"
        yield inline(reader.text(item.description))
        yield f"- {inline(_item_price(reader, item))}"
    yield f"[{_('Shop')}]({absolute(reader, '/shop')})"


def _item_price(reader: CatalogReader, item: Item) -> str:
    return f"{bare_price(item.price, reader.locale)} {_('each')} ({item.price.currency.upper()})"


def _questions(reader: CatalogReader) -> Iterator[str]:
    if reader.catalog.questions:
        yield f"## {_('Questions and answers')}"
    for question in reader.catalog.questions:
        yield f"### {inline(reader.text(question.q))}"
        yield inline(reader.text(question.a))
