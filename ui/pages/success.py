"""`/payment/success`: where Stripe sends the browser after Checkout. It shows what is known, and claims nothing.

The address proves nothing: `session_id` only finds a checkout that this user started. What became of it is what the two
services say, and until they say it the page waits in front of the user's eyes, with words that change after a minute
and again after ten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from services.cart import user_owner
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.claims import Claim, arrived_claim, changed_since_claim, checkout_claims, receipt_claim
from services.container import Container
from services.errors import FrontendError
from services.sessions.service import Session, sign_in_path
from services.subscription.current import confirmation_wait
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import ConfirmationWait, Reason, Source, State, Subscription
from ui.billing.live import Live, Part, live
from ui.billing.portal_button import portal_button
from ui.billing.problem import ProblemPlace
from ui.billing.purchase_words import draw_bought
from ui.billing.status_badge import StatusBadge
from ui.billing.subscription_card import QUOTED, contact_button, write_sentence
from ui.billing.timeline import Timeline
from ui.components.button import button
from ui.components.card_page import CardPage, card_page
from ui.nicegui_ext.html import Tag
from ui.page.current_user import find_status, words_for, words_of
from ui.page.frame import frame
from ui.page.product_link import product_button
from ui.serving.document import PageContext, page
from ui.text.claim_words import Reader, claims_attribute, sentence, sentences
from ui.text.i18n import N_, _, as_sentence, sentence_gap
from ui.text.state_words import StateWords, welcome
from ui.theme.tones import Tone

OVERTAKING: Final = frozenset({State.INCOMPLETE, State.PAST_DUE, State.UNPAID})
"""States that billing reports of a purchase that is not in force: they say more than that it is being confirmed."""

IN_FORCE: Final = frozenset({State.ACTIVE, State.TRIALING, State.COMPED, State.ON_ACCOUNT})
"""States from which the way leads into the product."""


UNSURE: Final = frozenset({State.UNAVAILABLE, State.CONFLICT, State.CONFIRMING, State.ON_RECORD})
"""States in which nobody knows whether what was bought is still there, so that nothing is said to have changed."""

WAY_BACK: Final = N_("Sign in with the account you used to buy, and you'll come back to this page.")
RELOADS: Final[Mapping[str, int]] = {"confirming": 5, "delayed": 20}
"""Views that wait for news, and each how many seconds they load themselves again where no script does it."""


@dataclass(frozen=True, slots=True)
class View:
    """What the page says now: `state` is the value of `data-state`.

    The sentence is of three parts, each of which may be missing: `lead` claims nothing of money or dates, then comes
    what the `words` of a subscription say, or the first of `claims`, and `note` after it.
    """

    state: str
    tone: Tone
    icon: str
    headline: str
    lead: str = ""
    words: StateWords | None = None
    checkout: Checkout | None = None
    claims: tuple[Claim, ...] = ()
    note: str = ""


def register(container: Container) -> None:
    """Add the page."""

    @page(container, "/payment/success", title=N_("Your purchase"), robots="noindex")
    async def success(context: PageContext) -> None:
        if not isinstance(context.session, Session):
            with frame(context, narrow=True):
                draw_signed_out(context)
            return
        checkout = await come_back(context, context.session)
        customer_status = await find_status(context, fresh=True)
        checkout = await reread(context, checkout)
        with frame(context, narrow=True):
            SuccessPage(context, checkout).show(view_of(context, checkout, customer_status))


async def come_back(context: PageContext, session: Session) -> Checkout | None:
    """Note the return, and at the first one that Stripe sent take what was bought out of the cart."""
    container, query = context.container, context.query
    checkout = await container.checkout.record_return(session, query.get("session_id"), query.get("key", ""))
    if checkout is not None and checkout.at(CheckoutEvent.RETURNED) is not None:
        await container.cart.take_out_bought(user_owner(session), checkout)
    return checkout


class SuccessPage:
    """The card and what changes in it."""

    def __init__(self, context: PageContext, checkout: Checkout | None) -> None:
        self._context = context
        self._checkout = checkout
        self._live: Live = live(context)
        self._timeline: Timeline | None = None
        self._badge: StatusBadge | None = None
        with card_page("info", "clock", "", testid="success-state") as card:
            self._card: CardPage = card
            self._badge_place = Tag("div", classes="card-badge", hidden=True)
            self._sentence = Tag("p", classes="center card-sentence")
            self._bought = Part(self._draw_bought)
            self._steps = Part(self._draw_steps)
            self._problems = ProblemPlace(context)
            self._below = Part(self._draw_below, classes="card-below")
        self._live.on_change(self._changed)

    def show(self, view: View) -> None:
        """Show a view, in place where the same parts stay."""
        reload_each = RELOADS.get(view.state, 0)
        self._context.head.reload_each = reload_each
        self._card.box.set(data_state=view.state, data_waits="" if reload_each else None)
        self._card.show(view.tone, view.icon, view.headline)
        if view.words is not None and view.state in ("not_ours", "submitted"):
            self._show_badge(view.words)
        self._sentence.set(data_claims=claims_attribute(view.claims))
        self._sentence.clear()
        with self._sentence:
            self._draw_sentence(view)
        self._bought.show(view.checkout.id if view.checkout is not None else "")
        has_steps = view.state != "unproven" and view.checkout is not None
        has_steps = has_steps and view.checkout is not None and view.checkout.kind is CheckoutKind.SUBSCRIPTION
        self._steps.show(view.checkout.id if has_steps and view.checkout is not None else "")
        if self._timeline is not None and view.checkout is not None:
            self._timeline.show(view.checkout)
        self._below.show((view.state, view.checkout.session_id if view.checkout is not None else ""))

    def _draw_sentence(self, view: View) -> None:
        context = self._context
        if view.lead:
            Tag("span", view.lead + sentence_gap())
        if view.words is not None:
            write_sentence(context, view.words)
        elif view.claims:
            reader = Reader.at(context.catalog, context.locale, context.timezone)
            Tag("span", sentences(view.claims[:1], reader).before)
        if view.note:
            Tag("span", f" {view.note}", classes="card-note muted small")

    async def _changed(self, customer_status: CustomerStatus) -> None:
        """Look what has become of the checkout, and show it."""
        self._checkout = await reread(self._context, self._checkout)
        self.show(view_of(self._context, self._checkout, customer_status))

    def _show_badge(self, words: StateWords) -> None:
        if self._badge is None:
            with self._badge_place:
                self._badge = StatusBadge(words)
            self._badge_place.set(hidden=None)
        self._badge.show(words)

    def _draw_bought(self, checkout_id: str) -> None:
        if checkout_id and self._checkout is not None:
            draw_bought(self._context, self._checkout)

    def _draw_steps(self, checkout_id: str) -> None:
        if checkout_id and self._checkout is not None:
            self._timeline = Timeline(self._context, self._checkout)

    def _draw_below(self, key: tuple[str, str]) -> None:
        state, reference = key
        with Tag("div", classes="actions card-actions"):
            self._draw_actions(state)
        if state == "confirming":
            Tag("p", _("You can close this page."), classes="muted small center")
        if state in QUOTED and reference:
            with Tag("p", classes="reference muted small center"):
                Tag("span", _("Reference to quote:"))
                Tag("code", reference, testid="reference", translate="no")

    def _draw_actions(self, state: str) -> None:
        context = self._context
        if state in QUOTED:
            button(
                _("Check again"), href=context.here, icon_name="arrow-path", on_press=self._live.look_now,
                testid="action-check_again",
            )  # fmt: skip
            contact_button(context, _("Contact us"))
            button(_("Continue in the background"), "quiet", href="/payment")
        elif state == "confirming":
            button(_("Continue in the background"), "secondary", href="/payment")
        elif state in OVERTAKING:
            label = _("Finish payment") if state == State.INCOMPLETE else _("Update payment method")
            portal_button(context, label, look="primary", problems=self._problems)
            button(_("Go to billing"), "quiet", href="/payment")
        elif state == "submitted":
            button(_("See your orders"), href="/payment")
            button(_("Back to the shop"), "quiet", href="/shop")
        elif state in IN_FORCE and product_button(context) is not None:
            button(_("Go to billing"), "quiet", href="/payment")
        else:
            button(_("Go to billing"), href="/payment")


def draw_signed_out(context: PageContext) -> None:
    """Draw the page of a visitor who is not signed in here: nothing about any purchase."""
    context.head.description = WAY_BACK
    with card_page("neutral", "lock-closed", _("Sign in to see your purchase"), testid="success-state") as card:
        card.box.set(data_state="signed_out")
        Tag(
            "p",
            _(WAY_BACK),
            classes="center card-sentence",
        )
        with Tag("div", classes="actions card-actions"):
            button(_("Sign in"), href=sign_in_path(context.here))


def view_of(
    context: PageContext,
    checkout: Checkout | None,
    customer_status: CustomerStatus | None,
    *,
    now: datetime | None = None,
) -> View:
    """Return what is true now of a checkout this user came back from, or of the user where it is none of theirs."""
    now = now or datetime.now(UTC)
    if checkout is None:
        return _not_ours(context, customer_status)
    if checkout.kind is not CheckoutKind.SUBSCRIPTION and checkout.at(CheckoutEvent.RETURNED) is None:
        return _unproven(checkout, now)
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        return View(
            "submitted", "success", "check-circle", _("Thanks for your order"), checkout=checkout,
            claims=checkout_claims(checkout, now),
        )  # fmt: skip
    current = customer_status.in_group(checkout.group or "") if customer_status is not None else None
    about_it = current is not None and current.plan_id == checkout.plan_id
    if current is not None and about_it and _has_come(checkout, current):
        words = words_of(context, current)
        headline = words.headline
        if checkout.went_through and current.state in (State.ACTIVE, State.TRIALING) and not current.ends:
            headline = welcome(current, context.catalog, context.locale)
        view = _saying(words, current.state, checkout, headline=headline)
        receipt = receipt_claim(checkout, now, paid=current.state is State.ACTIVE)
        if receipt is None:
            return view
        reader = Reader.at(context.catalog, context.locale, context.timezone, now)
        return replace(view, note=sentence(receipt, reader), claims=(*view.claims, receipt))
    if checkout.went_through:
        return _later(context, checkout, customer_status, now)
    if checkout.at(CheckoutEvent.RETURNED) is None:
        return _unproven(checkout, now)
    alone = current is not None and current.reference == checkout.session_id and current.charges_alone
    return _waiting(context, checkout, now, arrived=CheckoutEvent.BILLING_HAS_IT in checkout.events, alone=alone)


def _has_come(checkout: Checkout, current: Subscription) -> bool:
    """Whether what the user has now is what became of the checkout, as sure as it gets.

    Where the account says nothing of plans, billing's new record is all the word there will ever be.
    """
    if checkout.confirmed or current.state in OVERTAKING:
        return True
    waits = current.state in (State.CONFIRMING, State.UNAVAILABLE)
    return not waits and CheckoutEvent.BILLING_HAS_IT in checkout.events


def _unproven(checkout: Checkout, now: datetime) -> View:
    """The address lacks what only Stripe knows, and no service has said anything: it proves nothing."""
    plan = checkout.kind is CheckoutKind.SUBSCRIPTION
    return View(
        "unproven", "info", "information-circle", _("Your purchase"), checkout=checkout,
        claims=checkout_claims(checkout, now),
        note=_("Your purchase shows here once it's confirmed.") if plan else "",
    )  # fmt: skip


def _saying(words: StateWords, state: str, checkout: Checkout, *, headline: str = "") -> View:
    """Return a view that says what the words of a subscription say."""
    return View(state, words.tone, words.icon, headline or words.headline, "", words, checkout, words.claims)


def _waiting(context: PageContext, checkout: Checkout, now: datetime, *, arrived: bool, alone: bool) -> View:
    """No service has confirmed it yet: say for how long that has been so, or that billing has it at least.

    `alone` says that nothing else of its group can charge.
    """
    wait = confirmation_wait(checkout, now, arrived=arrived) or ConfirmationWait.CONFIRMING
    if wait is ConfirmationWait.CONFIRMING and context.container.alarms.delays_confirmations:
        wait = ConfirmationWait.DELAYED
    returned = checkout.at(CheckoutEvent.RETURNED)
    subscription = Subscription(
        state=State.CONFIRMING, reason=Reason.AWAITING_CONFIRMATION, source=Source.CHECKOUT, as_of=now,
        plan_id=checkout.plan_id, product_id=checkout.product_id, group=checkout.group, since=returned, wait=wait,
        charges_alone=alone, seen_back=checkout.seen_back,
    )  # fmt: skip
    return _saying(words_of(context, subscription), wait, checkout)


def _later(context: PageContext, checkout: Checkout, customer_status: CustomerStatus | None, now: datetime) -> View:
    """It was confirmed once, and what the user has now is something else, or nobody can say what it is."""
    arrived = arrived_claim(checkout, now)
    if customer_status is None:
        headline = _("This purchase was confirmed")
        return View("confirmed", "success", "check-circle", headline, "", None, checkout, (arrived,))
    current = customer_status.in_group(checkout.group or "")
    lead = as_sentence(_("This purchase was confirmed"))
    if current.state is State.NONE:
        # In the portal it may have become a plan of another group, and news get lost: nothing more is known of it.
        headline = _("Your billing status")
        return View("confirmed", "info", "information-circle", headline, lead, None, checkout, (arrived,))
    since: Claim | None = None
    kept = any(one.plan_id == checkout.plan_id and one.live for one in customer_status.all)
    if not (customer_status.stale or kept or current.state in UNSURE):
        since = changed_since_claim(checkout, current, now)
    said: tuple[Claim, ...] = (arrived,)
    if since is not None:
        said = (arrived, since)
        reader = Reader.at(context.catalog, context.locale, context.timezone, now)
        lead = sentence_gap().join((lead, sentence(since, reader)))
    view = _saying(words_of(context, current), current.state, checkout)
    return replace(view, lead=lead, claims=(*said, *view.claims))


def _not_ours(context: PageContext, customer_status: CustomerStatus | None) -> View:
    """A session id that this user's sign-in did not start, or none: neutral words and what the user really has."""
    headline = _("Your billing status")
    if customer_status is None:
        lead = _("We can't check your subscription right now. Your billing page shows it once we can.")
        return View("not_ours", "neutral", "information-circle", headline, lead)
    words = words_for(context, customer_status)
    lead = _("This link doesn't belong to a checkout of yours. Here's what we know about your account:")
    return View("not_ours", "neutral", "information-circle", headline, lead, words, claims=words.claims)


async def reread(context: PageContext, checkout: Checkout | None) -> Checkout | None:
    """Return the checkout with what has happened to it since; as it was when the store can't say."""
    if checkout is None:
        return None
    try:
        return await context.container.checkouts.by_id(checkout.customer, checkout.id) or checkout
    except FrontendError:
        return checkout
