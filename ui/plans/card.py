"""One plan as a card: name, for whom, price, button and what is in it, for any page that offers plans.

What a card offers is decided by the page: it hands in a `PlanOffer` with a `ButtonSpec` for each interval. The texts of
both intervals are in the page, so that the switch shows the other one at once.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from catalog import Interval, Plan
from services.claims import Claim
from services.portal import FRONT, PortalWay
from services.purchase import Purchase
from ui.billing.checkout_button import ACTION, press_checkout
from ui.billing.portal_button import ACTION as PORTAL
from ui.billing.portal_button import portal_fields, press_portal
from ui.billing.problem import ProblemPlace
from ui.components.badge import badge
from ui.components.button import ActionForm, Look, button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.plans.price import PriceWords, price_words
from ui.text.claim_words import claims_attribute
from ui.text.i18n import _
from ui.theme.icons import icon
from ui.theme.tones import Tone


@dataclass(frozen=True, slots=True)
class ButtonSpec:
    """What a card's button does, and what is said of it.

    `checkout` starts one for `purchase`, `portal` opens the customer portal there (`way`), `link` leads
    to `url`, `current` is the plan the user has, `closed` says that nothing is sold now, `none` leaves it empty. `due`
    says under the price what a press costs today and what follows, `note` under the button what else is to be known of
    it. `claims` is what they say of money, and no difference by itself: it holds the moment at which it was said.
    """

    kind: Literal["checkout", "portal", "link", "current", "closed", "none"]
    label: str = ""
    due: str = ""
    note: str = ""
    busy_label: str = ""
    url: str = ""
    purchase: Purchase | None = None
    way: PortalWay = FRONT
    look: Look | None = None
    claims: tuple[Claim, ...] = field(default=(), compare=False)

    @property
    def action(self) -> str:
        """Where the form is posted to."""
        return PORTAL if self.kind == "portal" else ACTION

    @property
    def fields(self) -> Mapping[str, str]:
        """What the form posts."""
        if self.kind == "portal":
            return portal_fields(self.way)
        return self.purchase.fields if self.purchase is not None else {}


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """A plan and what can be done about it here. `currency` is that of the catalog, for a plan without a price; `under`
    stands below the price instead of how it is billed."""

    plan: Plan
    buttons: Mapping[Interval, ButtonSpec]
    currency: str
    badge: str = ""
    badge_tone: Tone = "filled"
    includes_name: str = ""
    under: Mapping[Interval, str] = field(default_factory=dict)


LONG_WORD: Final = 12
LONGEST_WORD: Final = 17
LONG_AMOUNT: Final = 8
"""Letters that fit into the narrowest card in the largest size."""

Pressed = Callable[["PlanCard"], Awaitable[None]]


def presses(context: PageContext, problems: ProblemPlace) -> Pressed:
    """Return what a press on a card does: start the checkout that the card shows, or open the portal."""

    async def press(card: PlanCard) -> None:
        if card.spec.purchase is not None:
            await press_checkout(context, card.spec.purchase, problems, card.release)
        else:
            await press_portal(context, problems, card.spec.way)
            card.release()

    return press


class PlanCard:
    """The card of an offer. `show` changes its interval, `release` makes its button work again."""

    def __init__(
        self,
        context: PageContext,
        offer: PlanOffer,
        interval: Interval,
        *,
        heading: str = "h2",
        saving: str = "",
        on_press: Pressed | None = None,
    ) -> None:
        """`saving` is what the card says of its yearly price, where it does not stand above all cards."""
        self.offer = offer
        self.interval = interval
        self._on_press = on_press
        self._form: ActionForm | None = None
        self._words = {choice: _words(offer, choice, context.locale, saving) for choice in Interval}
        plan = offer.plan
        title = f"plan-{plan.id}"
        with Tag(
            "li", classes="plan-card", testid=f"plan-card-{plan.id}", aria_labelledby=title,
            data_highlighted="" if plan.highlighted else None,
        ):  # fmt: skip
            with Tag("div", classes="plan-head"):
                Tag(
                    heading,
                    context.text(plan.name),
                    id=title,
                    classes="plan-name",
                    translate="no",
                    data_long=_length(context.text(plan.name)),
                )
                if offer.badge:
                    badge(offer.badge, offer.badge_tone)
            Tag("p", context.text(plan.tagline), classes="plan-tagline muted")
            with Tag("div", classes="price-band"):
                self._draw_price(plan.id)
            with Tag("div", classes="plan-action") as self._action:
                self._draw_button()
            notes = {choice: spec.note for choice, spec in offer.buttons.items()}
            self._note = swap_line("plan-note", notes, interval, self._claims if self.spec.note else None)
            # Translators: over a list of what a plan has beyond another one
            includes = _("Everything in {plan}, plus").format(plan=offer.includes_name) if offer.includes_name else ""
            Tag("p", includes or _("What you get"), classes="plan-includes small")
            self._draw_features(context)

    def show(self, interval: Interval) -> None:
        """Show the price and the button of another interval."""
        before, self.interval = self.spec, interval
        words = self._words[interval]
        for element, text in zip(self._price, (words.amount, _beside(words.per), words.under), strict=True):
            element.set_text(text)
        after = self.spec
        self._price[2].set(data_claims=self._claims if after.due else None)
        self._note.set_text(after.note)
        self._note.set(data_claims=self._claims if after.note else None)
        if self._form is not None and (before.kind, before.label) == (after.kind, after.label):
            for name, value in after.fields.items():
                self._form.fields[name].set(value=value)
        elif before != after:
            self._action.clear()
            with self._action:
                self._draw_button()

    def release(self) -> None:
        """Let the button be pressed again."""
        if self._form is not None:
            self._form.release()

    @property
    def spec(self) -> ButtonSpec:
        """What the button does at the interval that is shown."""
        return self.offer.buttons[self.interval]

    @property
    def _claims(self) -> str | None:
        return claims_attribute(self.spec.claims, as_of=False)

    def _draw_price(self, plan_id: str) -> None:
        words = self._words[self.interval]
        with Tag("p", classes="price", testid=f"plan-price-{plan_id}"):
            longest = max(len(each.amount) for each in self._words.values())
            amount = Tag(
                "span", words.amount, classes="amount", translate="no", data_long="" if longest > LONG_AMOUNT else None
            )
            per = Tag("span", _beside(words.per), classes="per muted")
        unders = {choice: each.under for choice, each in self._words.items()}
        under = swap_line("price-under", unders, self.interval, self._claims if self.spec.due else None)
        self._price = (amount, per, under)
        swapping(amount, {choice: each.amount for choice, each in self._words.items()})
        swapping(per, {choice: _beside(each.per) for choice, each in self._words.items()})

    def _draw_button(self) -> None:
        spec, plan = self.spec, self.offer.plan
        look: Look = spec.look or ("primary" if plan.highlighted else "secondary")
        testid = f"subscribe-{plan.id}"
        self._form = None
        if spec.kind == "link":
            link = button(spec.label, look, href=spec.url, wide=True, testid=testid)
            if {each.kind for each in self.offer.buttons.values()} == {"link"}:
                swapping(link, {choice: each.url for choice, each in self.offer.buttons.items()})
        elif spec.kind == "current":
            with Tag("p", classes="plan-current"):
                icon("check-circle")
                # Translators: in place of a button on the plan that the customer has
                Tag("span", spec.label or _("Current plan"))
        elif spec.kind == "closed":
            with Tag("p", classes="plan-current muted", testid=f"closed-{plan.id}"):
                icon("pause-circle")
                Tag("span", spec.label)
        elif spec.kind in ("checkout", "portal"):
            self._form = ActionForm(
                spec.action, spec.fields, spec.label, busy_label=spec.busy_label, look=look, wide=True, testid=testid,
                on_press=self._press if self._on_press is not None else None,
            )  # fmt: skip
            for name, element in self._form.fields.items():
                swapping(element, {choice: each.fields.get(name, "") for choice, each in self.offer.buttons.items()})

    async def _press(self) -> None:
        if self._on_press is not None:
            await self._on_press(self)

    def _draw_features(self, context: PageContext) -> None:
        with Tag("ul", classes="features"):
            for feature in self.offer.plan.features:
                with Tag("li"):
                    icon("check")
                    with Tag("span"):
                        Tag("span", context.text(feature.text))
                        if feature.note is not None:
                            Tag("span", f" {context.text(feature.note)}", classes="feature-note muted small")


def _length(name: str) -> str | None:
    """Say whether a name's longest word is too long for a narrow card in large letters."""
    longest = max((len(word) for word in name.split()), default=0)
    return None if longest <= LONG_WORD else "long" if longest <= LONGEST_WORD else "longest"


def _beside(per: str) -> str:
    return f" {per}" if per else ""


def _words(offer: PlanOffer, interval: Interval, locale: str, saving: str) -> PriceWords:
    """Return the price band's words: below the price stands what a press costs, else how it is billed."""
    words = price_words(offer.plan, interval, locale, offer.currency, saving)
    due = offer.buttons[interval].due
    if due and len(offer.plan.offered) == 1:
        due = f"{words.under}. {due}"
    if due and saving and interval in offer.plan.offered and interval is Interval.YEAR:
        due = f"{due} {saving}"
    return replace(words, under=due or offer.under.get(interval, words.under))


def swap_line(classes: str, texts: Mapping[Interval, str], interval: Interval, claims: str | None = None) -> Tag:
    """Draw a line whose text depends on the interval, as high as the longer of both; return what holds the text."""
    if len(set(texts.values())) == 1:
        return Tag("p", texts[interval], classes=f"{classes} muted small", data_claims=claims)
    room = {"data_first": texts[Interval.MONTH], "data_second": texts[Interval.YEAR]}
    with Tag("p", classes=f"{classes} muted small swap", **room):
        return swapping(Tag("span", texts[interval], data_claims=claims), texts)


def swapping(element: Tag, texts: Mapping[Interval, str]) -> Tag:
    """Give `app.js` both intervals' texts of an element (of a link, where it leads), where they differ."""
    if len(set(texts.values())) > 1:
        element.set(data_month=texts[Interval.MONTH], data_year=texts[Interval.YEAR])
    return element
