"""`/payment`: what the user has, what they can do about it, and the plans with the button that is right for each.

Nothing here decides anything: the state comes from `services/live_status/service.py`, what a card offers from the guard
that sells. What changes while the page is open is pushed to it, part by part.
"""

from collections.abc import Mapping

from catalog import Catalog, Interval, Plan, Price, UnknownPrice
from services.checkout.guards import refusal
from services.checkout_record import Checkout
from services.container import Container
from services.errors import CheckoutInProgress, FrontendError
from services.portal import PortalVisit as PortalVisit
from services.purchase import Purchase
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Action
from ui.billing.checkout_button import checkout_button, draw_ways, question_words, show_refusal
from ui.billing.live import Live, Part, live
from ui.billing.overview import Overview
from ui.billing.portal_news import portal_news, portal_words
from ui.billing.portal_row import portal_row
from ui.billing.problem import ProblemPlace, problem_in_address
from ui.components.button import Press, button
from ui.components.notice import notice
from ui.nicegui_ext.html import Tag
from ui.page.current_user import find_status, signed_in
from ui.page.frame import frame
from ui.plans.card import PlanOffer, presses
from ui.plans.choices import plan_choices
from ui.plans.grid import PlanGrid
from ui.plans.interval_switch import interval_of
from ui.plans.live_catalog import on_catalog_change
from ui.plans.price import due_claims, due_words, shown_price
from ui.serving.document import PageContext, page
from ui.text.amounts import price_words
from ui.text.claim_words import claims_attribute
from ui.text.formats import short_date
from ui.text.i18n import N_, _
from ui.text.state_words import plan_name
from ui.text.states import CHECK_FIRST, STATES, Shown, shown_as
from ui.theme.icons import icon


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
        customer_status = await find_status(context, fresh=from_portal)
        with frame(context):
            PaymentPage(context, stay, await problem_in_address(context)).show(customer_status)


class PaymentPage:
    """The parts of the page that change while a user looks."""

    def __init__(self, context: PageContext, stay: PortalVisit | None, problem: FrontendError | None) -> None:
        self._context = context
        self._stay = stay
        self._live: Live = live(context)
        self._chosen = chosen_price(context.catalog, context.query)
        self._interval = self._first_interval()
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
        with Tag("section", id="plans", classes="plans-section", aria_labelledby="plans-title"):
            Tag("h2", _("Plans"), id="plans-title", classes="section-title")
            self._why_not = Tag("p", "", classes="plans-why muted center", hidden=True)
            self._plan_problems = ProblemPlace(context, on_change=self._show_way_in)
            self._plans = Part(self._draw_plans)
        portal_row(context)
        self._say_problem(problem)
        self._live.on_change(self.show)
        on_catalog_change(context, self._show_new_prices)

    def show(self, customer_status: CustomerStatus | None) -> None:
        """Show a status, each part only if it differs; None while no service has answered."""
        self._overview.show(customer_status)
        self._question.show(question_of(customer_status) if customer_status is not None else None)
        self._show_way_in()
        self._news.show(portal_words(self._context, self._stay, customer_status))
        self._show_plans(customer_status)

    def _show_new_prices(self) -> None:
        """Another catalog is in force: what can be chosen and what it costs may differ."""
        self._chosen = chosen_price(self._context.catalog, self._context.query)
        self.show(self._live.customer_status)

    def _show_way_in(self) -> None:
        """Show what leads on, unless a problem on the page already says so, or the page is about to leave."""
        customer_status = self._live.customer_status
        opened = customer_status.open if customer_status is not None else None
        said = isinstance(self._plan_problems.current, CheckoutInProgress) or self._problems.current is not None
        quiet = said or self._context.leaving
        if opened is not None and self._opened_words is not None:
            self._opened_words.set_text(opened_words(self._context, opened, self._chosen))
        self._way_in.show(
            (None, None) if quiet else (opened, self._chosen if self._may_start(customer_status) else None)
        )

    def _show_plans(self, customer_status: CustomerStatus | None) -> None:
        self._plans.show(plan_choices(self._context, customer_status, has_ended=self._has_ended))
        reason = "" if customer_status is None or self._has_ended else why_not(customer_status)
        self._why_not.set_text(reason)
        self._why_not.set(hidden=not reason)

    def _first_interval(self) -> Interval:
        if self._chosen is not None and self._chosen[1].interval is not None:
            return self._chosen[1].interval
        return interval_of(self._context.query)

    def _say_problem(self, error: FrontendError | None) -> None:
        """Say what a press without a script ran into: a code in the address, in our own words."""
        if error is not None:
            purchase = Purchase.of_plan(*self._chosen) if self._chosen is not None else None
            show_refusal(self._context, purchase, error, self._problems)

    def _may_start(self, customer_status: CustomerStatus | None) -> bool:
        """Whether the plan in the address is offered at the top: nothing stands against it, as far as is known."""
        if self._chosen is None:
            return False
        return (
            customer_status is None
            or refusal(customer_status, self._chosen[0], self._context.catalog, has_ended=self._has_ended) is None
        )

    def _draw_way_in(self, key: "tuple[Checkout | None, Chosen | None]") -> None:
        """The plan that the user came for, and the checkout that they are in the middle of."""
        opened, chosen = key
        self._opened_words = None
        if opened is not None:
            self._opened_words = draw_opened(self._context, opened, chosen, self._problems)
        elif chosen is not None:
            draw_chosen(self._context, *chosen, self._problems)

    def _draw_question(self, question: "Question | None") -> None:
        if question is not None and not self._has_ended:
            draw_question(self._context, question, self._answered)

    def _answered(self) -> None:
        """The user says that it has ended: the cards offer every plan, and the guard looks again at the press."""
        self._has_ended = True
        self._show_plans(self._live.customer_status)
        self._context.announce(_("The plans below can be chosen now."))

    def _draw_plans(self, offers: tuple[PlanOffer, ...]) -> None:
        PlanGrid(
            self._context, offers, self._interval, heading="h3", on_press=presses(self._context, self._plan_problems),
            on_interval=self._keep_interval,
        )  # fmt: skip

    def _keep_interval(self, interval: Interval) -> None:
        self._interval = interval


Chosen = tuple[Plan, Price]
"""The plan and price that the address names."""

Question = tuple[Action, str, Checkout | None]
"""What has to be answered before plans are offered: which question, about which plan, from which checkout."""


def why_not(customer_status: CustomerStatus) -> str:
    """Return why the plan cards offer nothing now, or nothing where they offer something."""
    row = STATES[shown_as(customer_status.current)]
    if customer_status.stale:
        return _(CHECK_FIRST)
    if question_of(customer_status) is not None and not row.why_not:
        return _(STATES[Shown.ON_RECORD].why_not)
    return _(row.why_not)


def question_of(customer_status: CustomerStatus) -> Question | None:
    """Return the plain question that stands before a new checkout, if there is one."""
    if Action.HAS_ENDED in customer_status.current.actions:
        return (Action.HAS_ENDED, customer_status.current.plan_id or "", None)
    if (
        customer_status.unconfirmed is not None
        and customer_status.confirming is None
        and not customer_status.current.live
    ):
        return (Action.CONTACT, customer_status.unconfirmed.plan_id or "", customer_status.unconfirmed)
    return None


def draw_question(context: PageContext, question: Question, answered: Press) -> None:
    """Draw the question behind which the plans wait: it leads past a guard, so no user should meet it by accident."""
    action, plan_id, checkout = question
    name = plan_name(plan_id or None, context.catalog, context.locale) or _("Your plan")
    with Tag("details", classes="question-box", testid="has-ended"):
        with Tag("summary"):
            ended = action is Action.HAS_ENDED
            Tag("span", _("Has it ended?") if ended else _("Were you charged?"))
            icon("chevron-down")
        with Tag("div", classes="question-body"):
            if checkout is not None:
                day = short_date(checkout.started_at, context.locale, context.timezone)
                sentence = _(
                    "You came back from a checkout of {plan} on {date} that was never confirmed. If you were charged, "
                    "contact us before you subscribe again: {reference}"
                ).format(plan=name, date=day, reference=checkout.session_id)
                label = _("I wasn't charged: show the plans")
            else:
                sentence = _(
                    "Look in the billing portal first. If it is still running there, a new subscription would be "
                    "charged beside it."
                )
                label = _("Yes, start a new one")
            Tag("p", sentence)
            button(label, "secondary", href="/payment?ended=yes#plans", on_press=answered, testid="answer-ended")


def opened_words(context: PageContext, opened: Checkout, chosen: Chosen | None) -> str:
    """Return "You started Premium 4 minutes ago. Continue, or start Basic instead?"."""
    return question_words(context, opened, Purchase.of_plan(*chosen) if chosen is not None else opened.purchase)


def draw_opened(context: PageContext, opened: Checkout, chosen: Chosen | None, problems: ProblemPlace) -> Tag:
    """Draw what was started with the ways on from it; return the element with its sentence, which names an age."""
    words: list[Tag] = []
    purchase = Purchase.of_plan(*chosen) if chosen is not None else opened.purchase
    with (
        notice("info", lambda: words.append(Tag("p", opened_words(context, opened, chosen))), focus=chosen is not None),
        Tag("div", classes="actions"),
    ):
        draw_ways(context, opened, purchase, problems)
    return words[0]


def draw_chosen(context: PageContext, plan: Plan, price: Price, problems: ProblemPlace) -> None:
    """Draw the plan that the user clicked before signing in, with the one button that leads on."""
    amount = price_words(price, context.locale)
    with Tag("section", classes="card chosen", tabindex="-1", data_focus="", aria_labelledby="chosen-title"):
        with Tag("div", classes="chosen-words"):
            Tag("p", _("You chose"), classes="small muted")
            with Tag("h2", id="chosen-title", classes="chosen-title"):
                Tag("span", context.text(plan.name))
                Tag("span", f" {amount}", classes="chosen-price")
            claims = due_claims(context, plan, price)
            Tag("p", due_words(context, claims), classes="muted small", data_claims=claims_attribute(claims))
        purchase = Purchase.of_plan(plan, price)
        checkout_button(
            context, purchase, _("Continue to checkout"), problems, large=True, testid="continue-to-checkout"
        )


def chosen_price(catalog: Catalog, query: Mapping[str, str]) -> Chosen | None:
    """Return the plan and price that an address names, by `price` or by `plan` and `interval`; None for none sold."""
    try:
        offer = catalog.offer(query.get("price", ""))
    except UnknownPrice:
        plan = next((p for p in catalog.on_sale if p.id == query.get("plan") and p.offered), None)
        price = shown_price(plan, interval_of(query)) if plan is not None else None
        return (plan, price) if plan is not None and price is not None else None
    return (offer.plan, offer.price) if offer.plan is not None else None
