"""The head of the comparison: each plan's name, price and button, as the cards above show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalog import Interval, Plan
from ui.billing.live import Part
from ui.components.button import ActionForm, Look, button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.plans.card import ButtonSpec, PlanOffer, swapping
from ui.plans.live_catalog import LivePlans
from ui.plans.price import price_words
from ui.text.i18n import _
from ui.theme.icons import icon


@dataclass(frozen=True, slots=True)
class _Column:
    """What stands below a plan's name: its offer at the interval that is shown. The same words are the same column."""

    plan: Plan
    name: str
    interval: Interval
    amounts: Mapping[Interval, str]
    pers: Mapping[Interval, str]
    buttons: Mapping[Interval, ButtonSpec] = field(hash=False)


def comparison_head(context: PageContext, plans: Sequence[Plan], shown: LivePlans) -> None:
    """Draw the head, and follow what the cards show."""
    columns: dict[str, Part[_Column]] = {}
    with Tag("thead", role="rowgroup"), Tag("tr", role="row"):
        with Tag("th", scope="col", role="columnheader"):
            # Translators: head of the column that names what plans have
            Tag("span", _("Feature"), classes="visually-hidden")
        for plan in plans:
            with Tag("th", scope="col", role="columnheader", data_highlighted=mark(plan)):
                Tag("span", context.text(plan.name), classes="head-name", translate="no")
                columns[plan.id] = Part(_draw_column, classes="head-offer")

    def follow() -> None:
        for offer in shown.offers:
            if offer.plan.id in columns:
                columns[offer.plan.id].show(_column(context, offer, shown.interval))

    shown.on_change = follow
    follow()


def mark(plan: Plan) -> str | None:
    """Return the attribute of a highlighted plan's column."""
    return "" if plan.highlighted else None


def _column(context: PageContext, offer: PlanOffer, interval: Interval) -> _Column:
    words = {each: price_words(offer.plan, each, context.locale, offer.currency) for each in Interval}
    return _Column(
        offer.plan,
        context.text(offer.plan.name),
        interval,
        {each: one.amount for each, one in words.items()},
        {each: f" {one.per}" if one.per else "" for each, one in words.items()},
        offer.buttons,
    )


def _draw_column(column: _Column) -> None:
    interval = column.interval
    with Tag("p", classes="head-price"):
        swapping(Tag("span", column.amounts[interval], classes="head-amount", translate="no"), column.amounts)
        swapping(Tag("span", column.pers[interval], classes="per muted"), column.pers)
    _draw_button(column)


def _draw_button(column: _Column) -> None:
    """Draw the card's button with a shorter label: its column says for which plan."""
    spec, testid = column.buttons[column.interval], f"compare-{column.plan.id}"
    look: Look = spec.look or ("primary" if column.plan.highlighted else "secondary")
    if spec.kind == "current":
        with Tag("p", classes="head-current small muted"):
            icon("check-circle")
            Tag("span", _("Current plan"))
    elif spec.kind == "link":
        # Translators: short button under a plan's name; a verb
        label, spoken = (_("Choose"), spec.label) if column.plan.offered else (spec.label, "")
        link = button(label, look, href=spec.url, wide=True, spoken=spoken, testid=testid)
        swapping(link, {each: one.url for each, one in column.buttons.items()})
    elif spec.kind in ("checkout", "portal"):
        change = spec.kind == "portal"
        spoken = _("Change to {plan}") if change else _("Choose {plan}")
        form = ActionForm(
            # Translators: short button under a plan's name: change to this plan
            spec.action, spec.fields, _("Change") if change else _("Choose"), busy_label=spec.busy_label, look=look,
            wide=True, spoken=spoken.format(plan=column.name), testid=testid,
        )  # fmt: skip
        for name, element in form.fields.items():
            swapping(element, {each: one.fields.get(name, "") for each, one in column.buttons.items()})
