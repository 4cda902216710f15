"""The plan that somebody chose before they signed in, to be confirmed: what it is, what it costs, and one button."""

from catalog import Interval, Plan, Price
from services.claims import Claim
from services.purchase import Purchase
from ui.billing.checkout_button import checkout_button
from ui.billing.problem import ProblemPlace
from ui.components.button import ActionForm, button
from ui.components.email_address import email_address
from ui.components.sentence import sentence_around
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.plans.card import swap_line, swapping
from ui.plans.interval_switch import interval_switch
from ui.plans.price import plan_purchase, price_words, starts_with_trial, tax_words, terms_claims, terms_words
from ui.plans.savings import saving_words
from ui.text.claim_words import claims_attribute
from ui.text.i18n import _
from ui.theme.icons import icon


class ConfirmCard:
    """The card. `plan` at `price` is what was chosen; where it is sold by month and year, the other can be taken."""

    def __init__(
        self, context: PageContext, plan: Plan, price: Price, problems: ProblemPlace, *, answered: bool = False
    ) -> None:
        """`answered` says that the user was asked whether what they had has ended."""
        self._context = context
        self._plan = plan
        self._answered = answered
        self._prices = {each: plan.offered.get(each, price) for each in Interval}
        self._interval = price.interval or Interval.MONTH
        self._claims = {each: terms_claims(context, plan, one) for each, one in self._prices.items()}
        self._form: ActionForm | None = None
        with Tag("div", classes="confirm", testid=f"confirm-plan-{plan.id}", data_swaps=""):
            if len(plan.offered) > 1:
                saving = context.catalog.yearly_saving(plan)
                words = saving_words(saving) if saving is not None else ""
                interval_switch(self._interval, words, self._show, context.query)
            with Tag("div", classes="price-band confirm-price"):
                self._draw_price()
            with Tag("div", classes="confirm-action", testid="continue-to-checkout") as self._action:
                self._draw_button(problems)
        self._problems = problems

    @property
    def price(self) -> Price:
        """The price that the button buys at."""
        return self._prices[self._interval]

    def _draw_price(self) -> None:
        context = self._context
        currency = self.price.currency
        words = {each: price_words(self._plan, each, context.locale, currency) for each in Interval}
        now = words[self._interval]
        with Tag("p", classes="price"):
            amount = Tag("span", now.amount, classes="amount", translate="no")
            per = Tag("span", f" {now.per}", classes="per muted")
        swapping(amount, {each: one.amount for each, one in words.items()})
        swapping(per, {each: f" {one.per}" for each, one in words.items()})
        terms = {each: terms_words(context, claims) for each, claims in self._claims.items()}
        under = swap_line("confirm-terms", terms, self._interval, self._attribute)
        self._drawn = (amount, per, under), words, terms

    @property
    def _attribute(self) -> str | None:
        return claims_attribute(self._claims[self._interval])

    def _draw_button(self, problems: ProblemPlace) -> None:
        self._form = checkout_button(
            self._context, self._purchase(self._interval), _("Continue to checkout"), problems, large=True, wide=True,
            testid=f"subscribe-{self._plan.id}",
        )  # fmt: skip
        fields = {each: self._purchase(each).fields for each in self._prices}
        for name, element in self._form.fields.items():
            swapping(element, {each: one.get(name, "") for each, one in fields.items()})

    def _purchase(self, interval: Interval) -> Purchase:
        purchase = plan_purchase(self._plan, self._prices[interval], self._claims[interval])
        return purchase.answered() if self._answered else purchase

    def _show(self, interval: Interval) -> None:
        """Show the other interval: the words, and a button that buys it."""
        self._interval = interval
        (amount, per, under), words, terms = self._drawn
        amount.set_text(words[interval].amount)
        per.set_text(f" {words[interval].per}")
        under.set_text(terms[interval])
        under.set(data_claims=self._attribute)
        self._action.clear()
        with self._action:
            self._draw_button(self._problems)


def draw_small_print(context: PageContext) -> None:
    """Say who is signed in, what the price leaves open, and what is agreed to."""
    user, terms = context.user, context.settings.terms_url
    with Tag("div", classes="confirm-print small muted"):
        Tag("p", tax_words(context.catalog))
        if terms:
            with Tag("p"):
                Tag("a", _("By subscribing you agree to our terms."), href=terms)
        if user is not None and user.email:
            with Tag("p", classes="confirm-user"):
                icon("user-circle")
                with Tag("span"):
                    sentence_around(_("Signed in as {email}"), "email", lambda: email_address(user.email or ""))


def back_to_plans(interval: str | None) -> None:
    """Draw the way back to all plans."""
    button(_("All plans"), "quiet", href=f"/pricing?interval={interval}" if interval else "/pricing", wide=True)


def confirm_title(plan_name: str, claims: tuple[Claim, ...]) -> str:
    """Return the headline: what pressing the button begins."""
    return (_("Try {plan}") if starts_with_trial(claims) else _("Subscribe to {plan}")).format(plan=plan_name)
