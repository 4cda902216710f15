"""`/payment`: what somebody has, what they can do about it, and the plans with the button that is right for each.

Nothing here decides anything: the state comes from `services/status.py`, what a card offers from the guard that sells.
What changes while the page is open is pushed to it, part by part.
"""

from collections.abc import Mapping
from dataclasses import replace

from catalog import Catalog, Interval, Plan, Price, UnknownPrice
from services.checkouts import Checkout
from services.errors import CheckoutInProgress
from services.portal import Visit as PortalVisit
from services.standing import Standing
from services.subscription import Action
from ui.components.button import Press, button
from ui.components.checkout_button import (
    Attempt,
    attempt_for,
    checkout_button,
    press_checkout,
    price_of,
    show_refusal,
    started_words,
)
from ui.components.live import Live, Part, live
from ui.components.live_catalog import on_catalog_change
from ui.components.notice import notice
from ui.components.overview import Overview
from ui.components.plan_card import PlanOffer
from ui.components.plan_grid import PlanGrid
from ui.components.portal_button import ACTION as PORTAL
from ui.components.portal_button import press_portal
from ui.components.portal_news import portal_news, portal_words
from ui.components.portal_row import portal_row
from ui.components.price import due_words
from ui.components.problem import ProblemPlace, problem_named
from ui.document import Visit, page
from ui.formats import short_date
from ui.frame import frame
from ui.html import Tag
from ui.i18n import N_, _
from ui.icons import icon
from ui.knowledge import find_standing, signed_in
from ui.plan_choices import plan_choices, refused
from ui.site import Site
from ui.state_words import amount_words, plan_name
from ui.states import CHECK_FIRST, STATES, Shown, shown_as


def register(site: Site) -> None:
    """Add the page."""

    @page(
        site,
        "/payment",
        title=N_("Billing"),
        description=N_("See what you have, change it or cancel it on the billing page."),
        requires_sign_in=True,
    )
    async def payment(visit: Visit) -> None:
        from_portal = visit.query.get("from") == "portal"
        stay = await site.portal.came_back(signed_in(visit)) if from_portal else None
        standing = await find_standing(visit, fresh=from_portal)
        with frame(visit):
            PaymentPage(visit, stay).show(standing)


class PaymentPage:
    """The parts of the page that change while somebody looks."""

    def __init__(self, visit: Visit, stay: PortalVisit | None) -> None:
        self._visit = visit
        self._stay = stay
        self._live: Live = live(visit)
        self._chosen = chosen_price(visit.site.catalog, visit.query)
        self._interval = self._first_interval()
        self._has_ended = visit.query.get("ended") == "yes"
        self._grid: PlanGrid | None = None
        with Tag("div", classes="page-head"):
            Tag("h1", _("Billing"))
        with Tag("div", classes="billing"):
            self._problems = ProblemPlace(visit)
            self._way_in = Part(self._draw_way_in)
            self._news = Part(portal_news)
            self._overview = Overview(visit, self._live, self._problems)
            self._question = Part(self._draw_question)
        with Tag("section", id="plans", classes="plans-section", aria_labelledby="plans-title"):
            Tag("h2", _("Plans"), id="plans-title", classes="section-title")
            self._why_not = Tag("p", "", classes="plans-why muted center", hidden=True)
            self._plan_problems = ProblemPlace(visit)
            self._plans = Part(self._draw_plans)
        portal_row(visit)
        self._say_problem()
        self._live.on_change(self.show)
        on_catalog_change(visit, self._show_new_prices)

    def show(self, standing: Standing | None) -> None:
        """Show a standing, each part only if it differs; None while nobody has answered."""
        self._overview.show(standing)
        self._question.show(question_of(standing) if standing is not None else None)
        self._show_way_in()
        self._news.show(portal_words(self._visit, self._stay, standing))
        self._show_plans(standing)

    def _show_new_prices(self) -> None:
        """Another catalog is in force: what can be chosen and what it costs may differ."""
        self._chosen = chosen_price(self._visit.site.catalog, self._visit.query)
        self.show(self._live.standing)

    def _show_way_in(self) -> None:
        """Show what leads on, unless a problem on the page already says so, or the page is about to leave."""
        standing = self._live.standing
        opened = standing.open if standing is not None else None
        said = isinstance(self._plan_problems.current, CheckoutInProgress) or self._problems.current is not None
        quiet = said or "leaving" in self._visit.extras
        self._way_in.show((None, None) if quiet else (opened, self._chosen if self._may_start(standing) else None))

    def _show_plans(self, standing: Standing | None) -> None:
        self._plans.show(plan_choices(self._visit, standing, has_ended=self._has_ended))
        reason = "" if standing is None or self._has_ended else why_not(standing)
        self._why_not.set_text(reason)
        self._why_not.set(hidden=not reason)

    def _first_interval(self) -> Interval:
        if self._chosen is not None and self._chosen[1].interval is not None:
            return self._chosen[1].interval
        return Interval.YEAR if self._visit.query.get("interval") == Interval.YEAR else Interval.MONTH

    def _say_problem(self) -> None:
        """Say what a press without a script ran into: a code in the address, in our own words."""
        error = problem_named(self._visit.query.get("problem", ""))
        if error is not None:
            attempt = attempt_for(self._visit, self._chosen[1]) if self._chosen is not None else None
            show_refusal(self._visit, attempt, error, self._problems)

    def _may_start(self, standing: Standing | None) -> bool:
        """Whether the plan in the address is offered at the top: nothing stands against it, as far as is known."""
        if self._chosen is None:
            return False
        return standing is None or refused(self._visit, standing, self._chosen[0], has_ended=self._has_ended) is None

    def _draw_way_in(self, key: "tuple[Checkout | None, Chosen | None]") -> None:
        """The plan that somebody came for, and the checkout that they are in the middle of."""
        opened, chosen = key
        if opened is not None and (chosen is None or opened.price_id != chosen[1].price_id):
            draw_opened(self._visit, opened, chosen, self._problems)
        elif chosen is not None:
            draw_chosen(self._visit, *chosen, self._problems)

    def _draw_question(self, question: "Question | None") -> None:
        if question is not None and not self._has_ended:
            draw_question(self._visit, question, self._answered)

    def _answered(self) -> None:
        """The user says that it has ended: the cards offer every plan, and the guard looks again at the press."""
        self._has_ended = True
        self._show_plans(self._live.standing)
        self._visit.announce(_("The plans below can be chosen now."))

    def _draw_plans(self, offers: tuple[PlanOffer, ...]) -> None:
        self._grid = PlanGrid(
            self._visit, offers, self._interval, heading="h3", on_press=self._press, on_interval=self._keep_interval
        )

    def _keep_interval(self, interval: Interval) -> None:
        self._interval = interval

    async def _press(self, offer: PlanOffer, interval: Interval) -> None:
        spec = offer.buttons[interval]
        if spec.url == PORTAL:
            await press_portal(self._visit, self._plan_problems)
            self._release()
            return
        fields = spec.fields
        attempt = Attempt(fields["price_id"], int(fields["amount"]), fields["catalog"], has_ended="has_ended" in fields)
        await press_checkout(self._visit, attempt, self._plan_problems, self._release)
        self._show_way_in()

    def _release(self) -> None:
        if self._grid is not None:
            self._grid.release()


Chosen = tuple[Plan, Price]
"""The plan and price that the address names."""

Question = tuple[Action, str, Checkout | None]
"""What has to be answered before plans are offered: which question, about which plan, from which checkout."""


def why_not(standing: Standing) -> str:
    """Return why the plan cards offer nothing now, or nothing where they offer something."""
    row = STATES[shown_as(standing.current, standing.wait)]
    if standing.stale:
        return _(CHECK_FIRST)
    if question_of(standing) is not None and not row.why_not:
        return _(STATES[Shown.ON_RECORD].why_not)
    return _(row.why_not)


def question_of(standing: Standing) -> Question | None:
    """Return the plain question that stands before a new checkout, if there is one."""
    if Action.HAS_ENDED in standing.current.actions:
        return (Action.HAS_ENDED, standing.current.plan_id or "", None)
    if standing.unconfirmed is not None and standing.confirming is None and not standing.current.live:
        return (Action.CONTACT, standing.unconfirmed.plan_id or "", standing.unconfirmed)
    return None


def draw_question(visit: Visit, question: Question, answered: Press) -> None:
    """Draw the question behind which the plans wait: it leads past a guard, so nobody should meet it by accident."""
    action, plan_id, checkout = question
    name = plan_name(plan_id or None, visit.site.catalog, visit.locale) or _("Your plan")
    with Tag("details", classes="question-box", testid="has-ended"):
        with Tag("summary"):
            ended = action is Action.HAS_ENDED
            Tag("span", _("Has this subscription ended?") if ended else _("Were you charged?"))
            icon("chevron-down")
        with Tag("div", classes="question-body"):
            if checkout is not None:
                day = short_date(checkout.started_at, visit.locale, visit.timezone)
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
                label = _("Yes, it has ended: show the plans")
            Tag("p", sentence)
            button(label, "secondary", href="/payment?ended=yes#plans", on_press=answered, testid="answer-ended")


def draw_opened(visit: Visit, opened: Checkout, chosen: Chosen | None, problems: ProblemPlace) -> None:
    """Draw "You started Premium 4 minutes ago. Continue, or start Basic instead?"."""
    if chosen is None:
        question = _("You can continue where you left off.")
    else:
        question = _("Continue, or start {plan} instead?").format(plan=visit.text(chosen[0].name))
    sentence = f"{started_words(visit, opened)} {question}"
    with notice("info", sentence, focus=chosen is not None), Tag("div", classes="actions"):
        button(_("Continue your checkout"), href=opened.url, testid="continue-checkout")
        if chosen is not None:
            instead = replace(attempt_for(visit, chosen[1]), instead_of=opened.id)
            label = _("Start {plan} instead").format(plan=visit.text(chosen[0].name))
            checkout_button(visit, instead, label, problems, look="secondary", testid="start-instead")


def draw_chosen(visit: Visit, plan: Plan, price: Price, problems: ProblemPlace) -> None:
    """Draw the plan that somebody clicked before signing in, with the one button that leads on."""
    amount = amount_words(price.amount, price.currency, price.interval, visit.locale)
    with Tag("section", classes="card chosen", tabindex="-1", data_focus="", aria_labelledby="chosen-title"):
        with Tag("div", classes="chosen-words"):
            Tag("p", _("You chose"), classes="small muted")
            with Tag("h2", id="chosen-title", classes="chosen-title"):
                Tag("span", visit.text(plan.name))
                Tag("span", f" {amount}", classes="chosen-price")
            Tag("p", due_words(price, visit.locale), classes="muted small")
        attempt = attempt_for(visit, price)
        checkout_button(visit, attempt, _("Continue to checkout"), problems, large=True, testid="continue-to-checkout")


def chosen_price(catalog: Catalog, query: Mapping[str, str]) -> Chosen | None:
    """Return the plan and price that an address names, by `price` or by `plan` and `interval`; None for none sold."""
    try:
        offer = catalog.offer(query.get("price", ""))
    except UnknownPrice:
        plan = next((p for p in catalog.plans if p.id == query.get("plan") and p.prices), None)
        wanted = Interval.YEAR if query.get("interval") == Interval.YEAR else Interval.MONTH
        price = price_of(plan, wanted) if plan is not None else None
        return (plan, price) if plan is not None and price is not None else None
    return (offer.plan, offer.price) if offer.plan is not None else None
