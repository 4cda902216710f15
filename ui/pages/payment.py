"""`/payment`: what the user has, what they can do about it, and the plans with the button that is right for each.

Nothing here decides anything: the state comes from `services/live_status/service.py`, what a card offers from the guard
that sells. What changes while the page is open is pushed to it, part by part.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from catalog import Catalog, Interval
from services.checkout.guards import refusal
from services.checkout_record import Checkout, CheckoutEvent, newest
from services.claims import Claim, on_top_claim, unanswered_claims
from services.container import Container
from services.errors import (
    AlreadySubscribed,
    CheckoutInProgress,
    FrontendError,
    StatusUnclear,
    SubscriptionOnRecord,
)
from services.portal import PortalVisit as PortalVisit
from services.purchase import Purchase
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Action, State
from ui.billing.checkout_button import draw_also_started, question_words, show_refusal
from ui.billing.invoices import InvoiceList, draw_invoices, invoices_of
from ui.billing.live import Live, Part, live
from ui.billing.orders import checkouts_of, draw_orders, orders_among
from ui.billing.overview import Overview
from ui.billing.portal_news import portal_news, portal_words
from ui.billing.portal_row import portal_row
from ui.billing.problem import ProblemPlace, problem_in_address
from ui.components.button import Press, button
from ui.components.sentence import sentence_around
from ui.nicegui_ext.html import Tag
from ui.page.current_user import find_status, signed_in
from ui.page.frame import frame
from ui.pages.confirm import Chosen, ConfirmPage, chosen_price, draw_opened, may_start
from ui.plans.card import PlanOffer, presses
from ui.plans.choices import plan_choices
from ui.plans.grid import PlanGrid
from ui.plans.interval_switch import first_interval
from ui.plans.live_catalog import on_catalog_change
from ui.plans.price import tax_words
from ui.serving.document import PageContext, page
from ui.text.claim_words import Reader, claims_attribute, question_sentence, sentence
from ui.text.i18n import N_, _
from ui.text.states import CHECK_FIRST, STATES, Shown, shown_as
from ui.theme.icons import icon

_SAYS_WHAT_IS_HAD: Final = frozenset({AlreadySubscribed.code, SubscriptionOnRecord.code, StatusUnclear.code})
"""Refusals by `guard_subscription` whose sentence says what the user has."""


def register(container: Container) -> None:
    """Add the page."""

    @page(
        container,
        "/payment",
        title=N_("Billing"),
        description=N_("Your plan, your card and your invoices, on your billing page."),
        requires_sign_in=True,
    )
    async def payment(context: PageContext) -> None:
        from_portal = context.query.get("from") == "portal"
        stay = await container.portal.record_return(signed_in(context)) if from_portal else None
        customer_status = await find_status(context, fresh=from_portal, scope="shown")
        checkouts, invoices = await asyncio.gather(checkouts_of(context), invoices_of(context))
        chosen = chosen_price(context.catalog, context.query)
        problem = _unless_over(await problem_in_address(context), chosen, customer_status, context.catalog)
        with frame(context), Tag("div") as place:

            def draw_billing() -> None:
                with place:
                    page = PaymentPage(context, stay, problem, checkouts, invoices)
                    page.show(live(context).customer_status)

            if chosen is not None and may_start(context, customer_status, chosen):
                ConfirmPage(context, chosen, problem, draw_billing)
            else:
                draw_billing()


def _unless_over(
    problem: FrontendError | None,
    chosen: Chosen | None,
    customer_status: CustomerStatus | None,
    catalog: Catalog,
) -> FrontendError | None:
    """Leave out a refusal that says what the user has, where what is known by now refuses nothing."""
    if problem is None or chosen is None or customer_status is None or problem.code not in _SAYS_WHAT_IS_HAD:
        return problem
    return problem if refusal(customer_status, chosen[0], catalog) is not None else None


class PaymentPage:
    """The parts of the page that change while a user looks."""

    def __init__(
        self,
        context: PageContext,
        stay: PortalVisit | None,
        problem: FrontendError | None,
        checkouts: Sequence[Checkout],
        invoices: InvoiceList | None,
    ) -> None:
        self._context = context
        self._stay = stay
        self._live: Live = live(context)
        self._interval = first_interval(context)
        self._has_ended = context.query.get("ended") == "yes"
        self._opened_words: Tag | None = None
        with Tag("div", classes="page-head"):
            Tag("h1", _("Billing"))
        with Tag("div", classes="billing"):
            self._problems = ProblemPlace(context)
            self._way_in = Part(self._draw_way_in)
            self._news = Part(portal_news)
            self._overview = Overview(context, self._live, self._problems)
            self._question = Part(self._draw_question)
            self._portal = Part(self._draw_portal)
            self._orders: Part[tuple[Sequence[Checkout], str]] = Part(lambda found: draw_orders(context, *found))
            self._invoices: Part[InvoiceList | None] = Part(lambda found: draw_invoices(context, found))
        with Tag("section", id="plans", classes="plans-section", aria_labelledby="plans-title"):
            self._plan_problems = ProblemPlace(context, on_change=self._show_way_in)
            self._plans = Part(self._draw_plans)
        self._checkouts, self._billed = checkouts, invoices
        self._say_problem(problem)
        self._live.on_change(self.show)
        self._live.on_change(self._look_for_orders)
        on_catalog_change(context, self._show_new_prices)

    def show(self, customer_status: CustomerStatus | None) -> None:
        """Show a status, each part only if it differs; None while no service has answered."""
        self._overview.show(customer_status)
        self._question.show(self._asked(customer_status))
        self._show_way_in()
        self._news.show(portal_words(self._context, self._stay, customer_status))
        self._show_orders(customer_status)
        self._show_plans(customer_status)

    async def _look_for_orders(self, _customer_status: CustomerStatus) -> None:
        """News of a status may come of an order, and changes what is known of the others."""
        self._checkouts, self._billed = await asyncio.gather(checkouts_of(self._context), invoices_of(self._context))
        self.show(self._live.customer_status)

    def _show_orders(self, customer_status: CustomerStatus | None) -> None:
        opened = customer_status.open if customer_status is not None else None
        bought = orders_among(self._checkouts)
        self._portal.show((needs_portal_row(customer_status, bought), customer_status is not None))
        self._orders.show((bought, opened.id if opened is not None else ""))
        self._invoices.show(self._billed)

    def _show_new_prices(self) -> None:
        """Another catalog is in force: what can be chosen and what it costs may differ."""
        self.show(self._live.customer_status)

    def _show_way_in(self) -> None:
        """Show what leads on, unless a problem on the page already says so, or the page is about to leave."""
        customer_status = self._live.customer_status
        opened = customer_status.open if customer_status is not None else None
        said = isinstance(self._plan_problems.current, CheckoutInProgress) or self._problems.current is not None
        if opened is not None and self._opened_words is not None:
            self._opened_words.set_text(question_words(self._context, opened, opened.purchase))
        self._way_in.show(None if said or self._context.leaving else opened)

    def _show_plans(self, customer_status: CustomerStatus | None) -> None:
        asked = self._asked(customer_status)
        offers = plan_choices(
            self._context, customer_status, has_ended=self._has_ended,
            given_up=asked.beside if asked is not None else None,
        )  # fmt: skip
        reason = "" if customer_status is None or self._has_ended else why_not(customer_status)
        self._plans.show((offers, reason, tax_words(self._context.catalog)))

    def _say_problem(self, error: FrontendError | None) -> None:
        """Say what a press without a script ran into: a code in the address, in our own words."""
        if error is not None:
            chosen = chosen_price(self._context.catalog, self._context.query)
            purchase = Purchase.of_plan(*chosen) if chosen is not None else None
            show_refusal(self._context, purchase, error, self._problems)

    def _draw_way_in(self, opened: Checkout | None) -> None:
        """The checkout that the user is in the middle of."""
        self._opened_words = None
        if opened is not None:
            self._opened_words = draw_opened(self._context, opened, opened.purchase, self._problems)

    def _draw_portal(self, shown: tuple[bool, bool]) -> None:
        """While nothing is known the row is for whoever has no script to hear more: it would go again at once."""
        is_needed, is_known = shown
        if is_needed and is_known:
            portal_row(self._context)
        elif is_needed:
            with Tag("noscript"):
                portal_row(self._context)

    def _asked(self, customer_status: CustomerStatus | None) -> "PlainQuestion | None":
        """Return the question that stands before the plans, with what its answer gives up beside."""
        question = question_of(customer_status) if customer_status is not None else None
        if question is None:
            return None
        now = datetime.now(UTC)
        beside = newest(self._checkouts, lambda c: c.in_doubt(now) and c.group == question.group)
        return replace(question, beside=beside)

    def _draw_question(self, question: "PlainQuestion | None") -> None:
        """Once it is answered, what the answer gives up is all that is left to be said."""
        if question is not None and not self._has_ended:
            draw_question(self._context, question, self._answered)
        elif question is not None and question.beside is not None:
            draw_also_started(self._context, question.beside)

    def _answered(self) -> None:
        """The user says that it has ended: the cards offer every plan, and the guard looks again at the press."""
        self._has_ended = True
        self._show_plans(self._live.customer_status)
        self._context.announce(_("You can choose a plan below."))

    def _draw_plans(self, shown: tuple[tuple[PlanOffer, ...], str, str]) -> None:
        """Draw the plans; folded to one line where none of them can be chosen now."""
        offers, reason, below = shown
        if can_choose(offers):
            # Translators: headline over the plans that are for sale
            Tag("h2", _("Plans"), id="plans-title", classes="section-title")
            self._draw_grid(offers, reason, below)
            return
        with Tag("details", classes="question-box plans-fold", testid="plans-folded"):
            with Tag("summary"):
                with Tag("span", classes="plans-fold-words"):
                    Tag("h2", _("Plans"), id="plans-title", classes="card-heading")
                    if reason:
                        Tag("span", reason, classes="plans-why muted small")
                icon("chevron-down")
            with Tag("div", classes="plans-folded"):
                self._draw_grid(offers, "", below)

    def _draw_grid(self, offers: tuple[PlanOffer, ...], reason: str, below: str) -> None:
        if reason:
            Tag("p", reason, classes="plans-why muted center")
        PlanGrid(
            self._context, offers, self._interval, heading="h3", on_press=presses(self._context, self._plan_problems),
            on_interval=self._keep_interval,
        )  # fmt: skip
        Tag("p", below, classes="trust", testid="prices-leave-open")

    def _keep_interval(self, interval: Interval) -> None:
        self._interval = interval


def can_choose(offers: Sequence[PlanOffer]) -> bool:
    """Whether any card but the one that is sold by talking has a button that starts or changes something."""
    sold = [offer for offer in offers if offer.plan.kind != "contact"]
    return any(spec.kind in ("checkout", "portal") for offer in sold for spec in offer.buttons.values())


def needs_portal_row(customer_status: CustomerStatus | None, orders: Sequence[Checkout]) -> bool:
    """Whether a row leads to the billing portal: there is something there for this user, or nobody can tell, and no
    card has a button that leads there."""
    if customer_status is None:
        return True
    if any(action.opens_portal for each in customer_status.all for action in each.actions):
        return False
    unsure = customer_status.stale or customer_status.current.state is State.UNAVAILABLE
    bought = any(order.at(CheckoutEvent.RETURNED) is not None for order in orders)
    return unsure or bought or bool(customer_status.subscription_ids) or customer_status.current.live


@dataclass(frozen=True, slots=True)
class PlainQuestion:
    """What has to be answered before plans are offered: which question, about which plan, from which checkout.

    `beside` is a checkout of the same group that may be paid, too: the answer gives it up.
    """

    action: Action
    plan_id: str
    group: str | None
    checkout: Checkout | None = None
    beside: Checkout | None = None


def why_not(customer_status: CustomerStatus) -> str:
    """Return why the plan cards offer nothing now, or nothing where they offer something."""
    row = STATES[shown_as(customer_status.current)]
    if customer_status.stale:
        return _(CHECK_FIRST)
    if question_of(customer_status) is not None and not row.why_not:
        return _(STATES[Shown.ON_RECORD].why_not)
    return _(row.why_not)


def question_of(customer_status: CustomerStatus) -> PlainQuestion | None:
    """Return the plain question that stands before a new checkout, if there is one."""
    current, unconfirmed = customer_status.current, customer_status.unconfirmed
    if Action.HAS_ENDED in current.actions:
        return PlainQuestion(Action.HAS_ENDED, current.plan_id or "", current.group)
    if unconfirmed is not None and customer_status.confirming is None and not current.live:
        return PlainQuestion(Action.CONTACT, unconfirmed.plan_id or "", unconfirmed.group, unconfirmed)
    return None


def draw_question(context: PageContext, question: PlainQuestion, answered: Press) -> None:
    """Draw the question behind which the plans wait: it leads past a guard, so no user should meet it by accident."""
    checkout = question.checkout
    with Tag("details", classes="question-box", testid="has-ended"):
        with Tag("summary"):
            ended = question.action is Action.HAS_ENDED
            # Translators: question about a subscription whose status we can't tell
            Tag("span", _("Has it ended?") if ended else _("Were you charged?"))
            icon("chevron-down")
        with Tag("div", classes="question-body"):
            reference, now = checkout.session_id if checkout is not None else "", datetime.now(UTC)
            reader = Reader.at(context.catalog, context.locale, context.timezone, now)
            claims: tuple[Claim, ...]
            if checkout is not None:
                claims = unanswered_claims(checkout, now)
                words = question_sentence(claims, reader, "{reference}")
                label = _("I wasn't charged – show the plans")
            else:
                claims = (on_top_claim(question.plan_id or None, now),)
                words = sentence(claims[0], reader)
                # Translators: answer on a button to "Has it ended?": a new subscription
                label = _("Yes, start a new one")
            with Tag("p", data_claims=claims_attribute(claims)):
                sentence_around(words, "reference", lambda: Tag("span", reference, translate="no"))
            if question.beside is not None:
                draw_also_started(context, question.beside)
            button(label, "secondary", href="/payment?ended=yes#plans", on_press=answered, testid="answer-ended")
