"""What the frame says on every page about what its user has: the plan beside the name, and a banner when money is due.

`prepare_state_banner` is one of `ui/serving/arrivals.py`. It asks no service: the page is drawn from
memory, and the live watch corrects it once the page is connected.
"""

from dataclasses import dataclass
from typing import Final

from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Subscription
from ui.billing.live import live
from ui.billing.portal_button import portal_button
from ui.components.button import button
from ui.components.notice import Kind, notice
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import known_status, remembered_status, words_for
from ui.text.i18n import _
from ui.text.state_words import StateWords, plan_name
from ui.text.states import Shown, action_label

KINDS: Final[dict[Shown, Kind]] = {
    Shown.PAST_DUE: "danger",
    Shown.UNPAID: "danger",
    Shown.INCOMPLETE: "warning",
    Shown.CONFIRMING: "info",
    Shown.DELAYED: "warning",
    Shown.LOST: "warning",
}
"""The states that follow a user onto every page, and how loudly."""

OWN_PAGES: Final = frozenset({"/payment", "/payment/success"})
"""Pages that say the same in their main content."""


@dataclass(slots=True)
class _ShownBanner:
    """What the banner of one page says, and its box; nothing without a banner."""

    words: StateWords | None = None
    box: Tag | None = None


async def prepare_state_banner(context: PageContext) -> None:
    """Give the frame the user's plan and banner, and keep both true while the page is open."""
    if context.user is None:
        return
    await remembered_status(context)
    customer_status = known_status(context)
    if customer_status is not None:
        context.plan_label = plan_label(context, customer_status.current)
        if banner_kind(context, customer_status) is not None:
            context.banners.append(lambda: state_banner(context, customer_status))
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
    banners = context.frame.banners
    with banners:
        state_banner(context, customer_status)
    banners.set(hidden=not banners.default_slot.children)


def plan_label(context: PageContext, subscription: Subscription) -> str:
    """Return the plan that somebody has access to, by name; nothing where there is none."""
    if not subscription.access:
        return ""
    name = plan_name(subscription.plan_id, context.catalog, context.locale)
    return name or subscription.account_plan or ""


def banner_kind(context: PageContext, customer_status: CustomerStatus) -> Kind | None:
    """Return how a status shows as a banner here, or None for no banner."""
    if context.path in OWN_PAGES:
        return None
    return KINDS.get(words_for(context, customer_status).shown)


def state_banner(context: PageContext, customer_status: CustomerStatus) -> None:
    """Draw the banner for a status, with the one thing that helps."""
    kind = banner_kind(context, customer_status)
    if kind is None:
        return
    words = words_for(context, customer_status)
    with notice(kind, words.sentence) as box:
        shown = context.part(_ShownBanner, _ShownBanner)
        shown.words, shown.box = words, box
        first = customer_status.current.actions[0]
        if first.opens_portal:
            portal_button(context, action_label(first, words.shown), testid="banner-action")
        else:
            button(_("See your billing"), "secondary", href="/payment", testid="banner-action")


def _banner_words(context: PageContext, customer_status: CustomerStatus) -> StateWords | None:
    return words_for(context, customer_status) if banner_kind(context, customer_status) is not None else None
