"""What a user has, as a wide card: headline, badge, one sentence with the date that matters, and what can be done.

The card changes in place: texts and colours are set, and the buttons are drawn anew only when they are others, so that
a change under a user's hands takes neither their place nor their focus.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from catalog import Catalog, Price
from services.claims import ClaimKind
from services.payment_contract.features import PortalFlow
from services.portal import FRONT, PortalWay
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Action, State, Subscription
from ui.billing.portal_button import portal_button
from ui.billing.problem import ProblemPlace
from ui.billing.status_badge import StatusBadge
from ui.components.button import Look, button
from ui.components.skeleton import skeleton, skeleton_line
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import words_of
from ui.text.claim_words import claims_attribute
from ui.text.formats import exact, full_date, relative
from ui.text.i18n import _
from ui.text.state_words import StateWords, resubscribe_label, subscription_name
from ui.text.states import Shown, action_label
from ui.theme.icons import icon

JUST_NOW: Final = timedelta(seconds=10)
"""How old news may be to be called new: seconds are not counted before anybody's eyes."""

OLD: Final = timedelta(minutes=2)
"""From this age on a card says how old its knowledge is."""

NEAR: Final = timedelta(days=14)
"""Up to this distance it helps to count the days to a date."""

COUNTED: Final = frozenset({ClaimKind.RENEWS_ON, ClaimKind.ENDS_ON})
"""Claims whose verb goes with a distance: "Renews in 3 days"."""

QUOTED: Final = frozenset({Shown.DELAYED, Shown.LOST, Shown.ARRIVED, Shown.UNCONFIRMED})
"""States of a purchase in which a user may want to ask about it."""

NOT_ON_CARD: Final = frozenset({Action.HAS_ENDED})
"""Actions that a page draws elsewhere."""


class SubscriptionCard:
    """The card of one subscription. `look_now` is what "Check again" does; `beside` says that it is not the one that
    counts, but runs beside it."""

    def __init__(
        self,
        context: PageContext,
        look_now: Callable[[], None],
        problems: ProblemPlace,
        *,
        heading: str = "h2",
        title_id: str = "current",
        beside: bool = False,
    ) -> None:
        self._context = context
        self._look_now = look_now
        self._problems = problems
        self._beside = beside
        self._drawn: tuple[object, ...] = ()
        self._facts_drawn: tuple[str, ...] = ()
        with Tag("section", classes="card subscription", aria_labelledby=title_id) as self._box:
            with Tag("div", classes="subscription-words") as self._words:
                with Tag("div", classes="subscription-head"):
                    self._headline = Tag(heading, "", id=title_id, classes="subscription-title")
                    self._badge_place = Tag("div", classes="subscription-badge")
                self._sentence = Tag("p", classes="subscription-sentence")
                self._news_due = Tag("p", "", classes="small muted", hidden=True, testid="portal-news-due")
                self._age = Tag("p", classes="age small muted", hidden=True)
            self._actions = Tag("div", classes="actions subscription-actions")
            self._facts = Tag("dl", classes="facts", hidden=True)
        self._badge: StatusBadge | None = None

    def show_nothing_yet(self) -> None:
        """Keep the card's place while no service has answered: a headline, a sentence and a button."""
        # Translators: name of a card, for screen readers
        self._headline.set_text(_("Your subscription"))
        self._box.set(aria_busy=True)
        with self._sentence:
            skeleton_line("min(34ch, 100%)")
        with self._actions:
            skeleton("auto", "44px")

    def show(self, subscription: Subscription, customer_status: CustomerStatus) -> None:
        """Show what is known of a subscription; nothing happens when a reader would see no difference."""
        context = self._context
        words = words_of(context, subscription)
        self._box.set(aria_busy=None, data_tone=words.tone)
        name = subscription_name(subscription, context.catalog, context.locale)
        self._headline.set_text(name if self._beside and name else words.headline)
        if self._badge is None:
            with self._badge_place:
                self._badge = StatusBadge(words)
        self._badge.show(words)
        self._show_age(customer_status, said=words.shown in (Shown.UNAVAILABLE, Shown.ID_REFUSED))
        actions = subscription.actions
        self._show_facts(words, reference_of(words, subscription), actions)
        can_cancel = can_be_canceled(context, subscription)
        drawn = (words, actions, can_cancel, customer_status.confirming and customer_status.confirming.url)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        draw_sentence(context, words, into=self._sentence)
        self._box.set(data_claims=claims_attribute(words.claims), data_group=subscription.group)
        self._news_due.set_text(words.news_due)
        self._news_due.set(hidden=not words.news_due)
        contact = bool(reference_of(words, subscription))
        self._show_actions(words, subscription, customer_status, contact=contact)

    def _show_facts(self, words: StateWords, reference: str, actions: tuple[Action, ...]) -> None:
        date_text = date_fact(self._context, words)
        portal = any(action.opens_portal for action in actions)
        facts = (words.price, words.date_verb, date_text, reference, str(portal))
        if facts == self._facts_drawn:
            return
        self._facts_drawn = facts
        self._facts.clear()
        with self._facts:
            if words.price:
                # Translators: label beside an amount: the catalog's price, before discounts
                _fact(_("List price"), words.price)
            if date_text:
                _fact(words.date_verb, date_text, words.moment, self._context)
            if reference:
                # Translators: label beside an id that customers name to the support
                _fact(_("Reference to quote"), reference, translate="no")
            if portal and not self._beside:
                _fact(_("Invoices and payment methods"), _("In the billing portal"))
        self._facts.set(hidden=not any((words.price, date_text, reference, portal and not self._beside)))

    def _show_age(self, customer_status: CustomerStatus, *, said: bool) -> None:
        """Say how old the knowledge is, once that matters: a service did not answer, or was not asked for a while.

        Not where the sentence has `said` it.
        """
        old = not said and (customer_status.stale or datetime.now(UTC) - customer_status.as_of > OLD)
        self._age.clear()
        if old:
            with self._age:
                icon("clock")
                Tag(
                    "span",
                    age_words(self._context, customer_status),
                    title=exact_time(self._context, customer_status.as_of),
                )
        self._age.set(hidden=not old, data_stale=customer_status.stale or None)

    def _show_actions(
        self, words: StateWords, subscription: Subscription, customer_status: CustomerStatus, *, contact: bool
    ) -> None:
        self._actions.clear()
        offered = [action for action in subscription.actions if action not in NOT_ON_CARD]
        with self._actions:
            for place, action in enumerate(offered[:1] if self._beside else offered):
                filled = place == 0 and not self._beside
                look: Look = "primary" if filled else "secondary"
                self._draw_action(action, words, subscription, customer_status, look)
            if can_be_canceled(self._context, subscription) and not self._beside:
                # Translators: button: leads to the page at Stripe where a subscription is canceled
                label = _("Cancel plan")
                way = PortalWay(PortalFlow.CANCEL, subscription.subscription_id or "")
                problems = self._problems
                portal_button(self._context, label, look="quiet", problems=problems, testid="action-cancel", way=way)
            if contact:
                contact_button(self._context, action_label(Action.CONTACT))
        self._actions.set(hidden=not offered)

    def _draw_action(
        self,
        action: Action,
        words: StateWords,
        subscription: Subscription,
        customer_status: CustomerStatus,
        look: Look,
    ) -> None:
        context = self._context
        label = offer_label(action, words, context.catalog, context.locale)
        testid = f"action-{action}"
        if action is Action.CHANGE_PLAN:
            button(label, look, href="/payment#plans", testid=testid)
        elif action.opens_portal:
            way = portal_way(action, subscription)
            portal_button(context, label, look=look, problems=self._problems, testid=testid, way=way)
        elif action is Action.CHECK_AGAIN:
            button(
                label, "secondary", href=context.here, icon_name="arrow-path", on_press=self._look_now, testid=testid
            )
        elif action is Action.CONTINUE_CHECKOUT:
            if customer_status.confirming is not None:  # it was paid, as far as its return shows
                href = f"/payment/success?{urlencode({'session_id': customer_status.confirming.session_id})}"
                button(_("View status"), "secondary", href=href, testid=testid)
        elif action is Action.CONTACT:
            contact_button(context, label)
        elif action is Action.SUBSCRIBE_AGAIN and (price := _price_of(context.catalog, words)) is not None:
            button(label, look, href=f"/payment?{urlencode({'price': price.price_id})}", testid=testid)
        else:
            here = context.path == "/payment"
            button(label, "secondary" if here else look, href="/payment#plans", testid=testid)


def portal_way(action: Action, subscription: Subscription) -> PortalWay:
    """Return where in the portal an action is done, where one of its pages is just for that."""
    if action in (Action.UPDATE_PAYMENT_METHOD, Action.FINISH_PAYMENT):
        return PortalWay(PortalFlow.UPDATE_CARD, subscription.subscription_id or "")
    return FRONT


def can_be_canceled(context: PageContext, subscription: Subscription) -> bool:
    """Whether a button leads straight to where it is canceled: it runs, and the Payment MS leads there."""
    running = subscription.state in (State.ACTIVE, State.TRIALING) and not subscription.ends
    return running and bool(subscription.subscription_id) and context.container.portal.leads_straight


def offer_label(action: Action, words: StateWords, catalog: Catalog, locale: str) -> str:
    """Return the words on the button of what is offered beside these words."""
    price = _price_of(catalog, words) if action is Action.SUBSCRIBE_AGAIN else None
    return resubscribe_label(words.plan, price, locale) if price is not None else action_label(action, words.shown)


def _price_of(catalog: Catalog, words: StateWords) -> Price | None:
    """Return the price at which the plan that these words are about is sold today, if it is."""
    plan = next((plan for plan in catalog.on_sale if plan.id == words.claims[0].plan), None)
    return next(iter(plan.offered.values()), None) if plan is not None else None


def reference_of(words: StateWords, subscription: Subscription) -> str:
    """Return the checkout session's id where its confirmation takes so long that a user may want to quote it."""
    return subscription.reference if words.shown in QUOTED else ""


def draw_sentence(context: PageContext, words: StateWords, *, into: Tag) -> None:
    """Write the sentence anew into an element."""
    into.clear()
    with into:
        write_sentence(context, words)


def write_sentence(context: PageContext, words: StateWords) -> None:
    """Write the sentence, with the exact instant in its date's tooltip."""
    if words.moment is None or not words.parts.date:
        Tag("span", words.sentence)
        return
    Tag("span", words.parts.before)
    instant = words.moment.isoformat()
    Tag("time", words.parts.date, datetime=instant, title=exact_time(context, words.moment))
    Tag("span", words.parts.after)


def age_words(context: PageContext, customer_status: CustomerStatus) -> str:
    """Return how old the knowledge is: "Last updated 2 minutes ago", and why where a service did not answer."""
    ago = relative(customer_status.as_of, context.locale)
    if datetime.now(UTC) - customer_status.as_of < JUST_NOW:
        # Translators: stands for {ago} in "Last updated {ago}"
        ago = _("just now")
    if customer_status.stale:
        return _("We can't check right now. Last updated {ago}.").format(ago=ago)
    return _("Last updated {ago}").format(ago=ago)


def exact_time(context: PageContext, moment: datetime) -> str:
    """Return the instant and its zone, for a tooltip."""
    return exact(moment, context.locale, context.timezone)


def date_fact(context: PageContext, words: StateWords) -> str:
    """Return what stands beside the date's verb: the day in full and how far away it is.

    Where the sentence names the day, only the distance, and only within two weeks, where counting days helps.
    """
    if words.moment is None or not words.date_verb:
        return ""
    distance = relative(words.moment, context.locale)
    if words.parts.date:
        near = abs(words.moment - datetime.now(UTC)) <= NEAR
        return distance if near and any(claim.says in COUNTED for claim in words.claims) else ""
    return f"{full_date(words.moment, context.locale, context.timezone)} · {distance}"


def contact_button(context: PageContext, label: str, look: Look = "secondary") -> None:
    """Draw the link to support; nothing where the operator names none."""
    if context.settings.support_url:
        button(label, look, href=context.settings.support_url, testid="action-contact")


def _fact(
    name: str,
    text: str,
    moment: datetime | None = None,
    context: PageContext | None = None,
    translate: str | None = None,
) -> None:
    with Tag("div", classes="fact"):
        Tag("dt", name)
        if moment is not None and context is not None:
            with Tag("dd"):
                Tag("time", text, datetime=moment.isoformat(), title=exact_time(context, moment))
        else:
            Tag("dd", text, translate=translate)
