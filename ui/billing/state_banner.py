"""What the frame says on every page about what its user has: the plan beside the name, and a banner when money is due.

`prepare_state_banner` is one of `ui/serving/arrivals.py`. It asks no service: the frame is drawn from what is known by
then, which the page may have asked for meanwhile, and the live watch corrects it once the page is connected.
"""

from dataclasses import dataclass
from typing import Final

from services.errors import EmailMissing
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Subscription
from ui.billing.live import live
from ui.billing.portal_button import portal_button
from ui.billing.subscription_card import portal_way
from ui.components.button import button
from ui.components.notice import Kind, notice
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import known_status, remembered_status, words_of
from ui.text.claim_words import claims_attribute
from ui.text.i18n import _
from ui.text.state_words import StateWords, subscription_name
from ui.text.states import Shown, action_label

KINDS: Final[dict[Shown, Kind]] = {
    Shown.PAST_DUE: "danger",
    Shown.UNPAID: "danger",
    Shown.INCOMPLETE: "warning",
    Shown.CONFIRMING: "info",
    Shown.DELAYED: "warning",
    Shown.LOST: "warning",
    Shown.ARRIVED: "info",
}
"""The states that follow a user onto every page, and how loudly."""

SELLING: Final = frozenset({"/payment", "/pricing", "/shop", "/cart", "/upgrade"})
"""Pages with buttons that lead to Stripe: what stands against a press is said before it."""

OWN_PAGES: Final = frozenset({"/payment", "/payment/success"})
"""Pages that say the same in their main content."""


@dataclass(slots=True)
class _ShownBanner:
    """What the banner of one page says, and its box; nothing without a banner."""

    words: StateWords | None = None
    box: Tag | None = None


def _email_missing(_context: PageContext) -> None:
    with notice("warning", _(EmailMissing.sentence), title=_(EmailMissing.title)) as box:
        box.set(data_code=EmailMissing.code)


async def prepare_state_banner(context: PageContext) -> None:
    """Give the frame the user's plan and banner, and keep both true while the page is open."""
    if context.user is None:
        return
    if not context.user.email and context.path in SELLING:
        context.banners.append(_email_missing)
    await remembered_status(context)
    context.plan_label = _known_plan
    context.banners.append(_known_state)
    live(context).on_change(lambda new: show_in_frame(context, new))


def show_in_frame(context: PageContext, customer_status: CustomerStatus) -> None:
    """Show a new status in the frame that is already drawn."""
    if context.frame is None:
        return
    context.frame.show_plan(plan_label(context, customer_status.current))
    wanted = _banner_words(context, customer_status)
    shown = context.part(_ShownBanner, _ShownBanner)
    if wanted == shown.words:
        return
    if shown.box is not None:
        shown.box.delete()
    shown.words, shown.box = wanted, None
    with context.frame.banners:
        state_banner(context, customer_status)
    context.frame.show_banners()


def _known_plan(context: PageContext) -> str:
    customer_status = known_status(context)
    return plan_label(context, customer_status.current) if customer_status is not None else ""


def _known_state(context: PageContext) -> None:
    customer_status = known_status(context)
    if customer_status is not None:
        state_banner(context, customer_status)


def plan_label(context: PageContext, subscription: Subscription) -> str:
    """Return the plan that the user has access to, by name; nothing where there is none."""
    if not subscription.access:
        return ""
    return subscription_name(subscription, context.catalog, context.locale) or ""


def _urgent(context: PageContext, customer_status: CustomerStatus) -> Subscription | None:
    """Return the subscription that a banner is about: the first, of whichever group of plans, that needs one."""
    if context.path in OWN_PAGES:
        return None
    currents = (customer_status.current, *customer_status.beside)
    return next((one for one in currents if words_of(context, one).shown in KINDS), None)


def state_banner(context: PageContext, customer_status: CustomerStatus) -> None:
    """Draw the banner for a status, with the one thing that helps."""
    urgent = _urgent(context, customer_status)
    if urgent is None:
        return
    words = words_of(context, urgent)
    with notice(KINDS[words.shown], f"{words.headline}. {words.sentence}") as box:
        box.set(data_claims=claims_attribute(words.claims))
        shown = context.part(_ShownBanner, _ShownBanner)
        shown.words, shown.box = words, box
        first = urgent.actions[0]
        if first.opens_portal:
            way = portal_way(first, urgent)
            portal_button(context, action_label(first, words.shown), testid="banner-action", way=way)
        else:
            button(_("Go to billing"), "secondary", href="/payment", testid="banner-action")


def _banner_words(context: PageContext, customer_status: CustomerStatus) -> StateWords | None:
    urgent = _urgent(context, customer_status)
    return words_of(context, urgent) if urgent is not None else None
