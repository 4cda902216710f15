"""The focused form of `/payment`: the one plan that somebody chose before they signed in, to be confirmed or left.

It is drawn for an address that names a plan as long as nothing stands against it; else, and from when something does,
the whole billing page is.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from catalog import Catalog, Plan, Price, UnknownPrice
from catalog_entries import Promises
from services.checkout.guards import refusal
from services.checkout_record import Checkout
from services.claims import Tax, question_claims
from services.errors import CatalogChanged, FrontendError
from services.purchase import Purchase
from services.subscription.customer_status import CustomerStatus
from ui.billing.checkout_button import draw_ways, question_words, show_refusal
from ui.billing.live import Part, live
from ui.billing.problem import ProblemPlace
from ui.billing.purchase_words import bought_name
from ui.components.notice import notice
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.plans.confirm import ConfirmCard, back_to_plans, confirm_title, draw_small_print
from ui.plans.interval_switch import interval_of
from ui.plans.live_catalog import on_catalog_change
from ui.plans.price import due_claims, shown_price, starts_with_trial
from ui.text.claim_words import claims_attribute
from ui.text.i18n import _

Chosen = tuple[Plan, Price]
"""The plan and price that an address names."""

Shown = tuple[bool, Checkout | None, Plan, Price, bool, tuple[Tax | None, Promises]]
"""All that the card depends on: whether a problem says how to go on, what is under way, what is sold, whether with a
trial, and what the operator says of tax and promises."""


def chosen_price(catalog: Catalog, query: Mapping[str, str]) -> Chosen | None:
    """Return the plan and price that an address names, by `price` or by `plan`; None for none sold.

    An `interval` beside it is the later choice.
    """
    interval = interval_of(query)
    try:
        offer = catalog.offer(query.get("price", ""))
    except UnknownPrice:
        plan = next((p for p in catalog.on_sale if p.id == query.get("plan") and p.offered), None)
        price = shown_price(plan, interval) if plan is not None else None
        return (plan, price) if plan is not None and price is not None else None
    if offer.plan is None:
        return None
    return offer.plan, offer.plan.offered.get(interval, offer.price) if "interval" in query else offer.price


def may_start(context: PageContext, customer_status: CustomerStatus | None, chosen: Chosen | None) -> bool:
    """Whether nothing stands against starting that plan, as far as is known."""
    if chosen is None or not context.settings.selling or (context.user is not None and not context.user.email):
        return False
    if customer_status is None:
        return True
    has_ended = context.query.get("ended") == "yes"
    return refusal(customer_status, chosen[0], context.catalog, has_ended=has_ended) is None


class ConfirmPage:
    """The card and what changes in it. `give_way` draws the billing page in its place."""

    def __init__(
        self, context: PageContext, chosen: Chosen, problem: FrontendError | None, give_way: Callable[[], None]
    ) -> None:
        self._context = context
        self._plan, self._price = chosen
        self._give_way = give_way
        self._gone = False
        self._opened_words: Tag | None = None
        with (
            Tag("div", classes="narrow") as self._box,
            Tag("section", classes="card card-page confirm-page", aria_labelledby="headline", testid="confirm"),
        ):
            with Tag("div", classes="stack"):
                self._title = Tag("h1", id="headline", classes="card-title")
                Tag("p", context.text(self._plan.tagline), classes="muted")
            self._problems = ProblemPlace(context, on_change=self._show_way)
            self._way = Part(self._draw_way, classes="confirm-way")
            back_to_plans(self._price.interval)
        if problem is not None:
            show_refusal(context, self._purchase, problem, self._problems)
        self._show_way()
        live(context).on_change(self._follow)
        on_catalog_change(context, self._catalog_changed)

    @property
    def _purchase(self) -> Purchase:
        purchase = Purchase.of_plan(self._plan, self._price)
        return purchase.answered() if self._context.query.get("ended") == "yes" else purchase

    def _follow(self, customer_status: CustomerStatus) -> None:
        """Show what is so now; with something against the purchase the billing page says what."""
        if self._gone:
            return
        if may_start(self._context, customer_status, (self._plan, self._price)) or self._context.leaving:
            self._show_way()
            return
        self._leave()

    def _catalog_changed(self) -> None:
        chosen = chosen_price(self._context.catalog, self._context.query)
        if self._gone:
            return
        if chosen is None:
            self._leave()
            return
        self._plan, self._price = chosen
        self._show_way()

    def _leave(self) -> None:
        self._gone = True
        self._box.delete()
        self._give_way()

    def _show_way(self) -> None:
        """Show the one button, or what the user is in the middle of; nothing where a problem says how to go on.

        Of changed prices the new one stands below the problem, to be reviewed there.
        """
        known = live(self._context).customer_status
        opened = known.open if known is not None else None
        if opened is not None and self._opened_words is not None:
            self._opened_words.set_text(question_words(self._context, opened, self._purchase))
        problem = self._problems.current
        said = problem is not None and not isinstance(problem, CatalogChanged)
        context = self._context
        claims = due_claims(context, self._plan, self._price)
        self._title.set_text(confirm_title(context.text(self._plan.name), claims))
        said_besides = (context.catalog.tax, context.catalog.promises)
        opened = None if context.leaving else opened
        self._way.show((said, opened, self._plan, self._price, starts_with_trial(claims), said_besides))

    def _draw_way(self, key: Shown) -> None:
        said, opened, plan, price, *_besides = key
        self._opened_words = None
        if said:
            return
        if opened is not None:
            self._opened_words = draw_opened(self._context, opened, self._purchase, self._problems)
            return
        ConfirmCard(self._context, plan, price, self._problems, answered=self._purchase.has_ended)
        draw_small_print(self._context)


def draw_opened(context: PageContext, opened: Checkout, purchase: Purchase, problems: ProblemPlace) -> Tag:
    """Draw what was started with the ways on from it; return the element with its sentence, which names an age."""
    words: list[Tag] = []
    sentence = question_words(context, opened, purchase)
    title = _("You have an unfinished checkout for {plan}").format(plan=bought_name(context, opened))
    claims = claims_attribute(question_claims(opened, datetime.now(UTC)))
    another = not purchase.is_same_as(opened.purchase)
    with (
        notice("info", lambda: words.append(Tag("p", sentence, data_claims=claims)), title=title, focus=another),
        Tag("div", classes="actions"),
    ):
        draw_ways(context, opened, purchase, problems)
    return words[0]
