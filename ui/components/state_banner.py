"""What the frame says on every page about what its user has: the plan beside the name, and a banner when money is due.

`arrive` belongs into `site.on_arrival`. It asks no service: the page is drawn from memory, and the live watch corrects
it once the page is connected.
"""

from typing import Final

from services.standing import Standing
from services.subscription import Subscription
from ui.components.button import button
from ui.components.live import live
from ui.components.notice import Kind, notice
from ui.components.portal_button import portal_button
from ui.html import Tag
from ui.i18n import _
from ui.knowledge import known_standing, remember_standing, words_for
from ui.state_words import StateWords, plan_name
from ui.states import Shown, action_label
from ui.visit import Visit

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


async def arrive(visit: Visit) -> None:
    """Give the frame the user's plan and banner, and keep both true while the page is open."""
    if visit.user is None:
        return
    await remember_standing(visit)
    standing = known_standing(visit)
    if standing is not None:
        visit.plan_label = plan_label(visit, standing.current)
        if banner_kind(visit, standing) is not None:
            visit.banners.append(lambda: state_banner(visit, standing))
    live(visit).on_change(lambda new: show_in_frame(visit, new))


def show_in_frame(visit: Visit, standing: Standing) -> None:
    """Show a new standing in the frame that is already drawn."""
    if visit.frame is None:
        return
    visit.frame.show_plan(plan_label(visit, standing.current))
    wanted = _banner_words(visit, standing)
    if wanted == visit.extras.get("banner"):
        return
    box = visit.extras.pop("banner_box", None)
    if isinstance(box, Tag):
        box.delete()
    visit.extras["banner"] = wanted
    banners = visit.frame.banners
    with banners:
        state_banner(visit, standing)
    banners.set(hidden=not banners.default_slot.children)


def plan_label(visit: Visit, subscription: Subscription) -> str:
    """Return the plan that somebody has access to, by name; nothing where there is none."""
    if not subscription.access:
        return ""
    name = plan_name(subscription.plan_id, visit.site.catalog, visit.locale)
    return name or subscription.account_plan or ""


def banner_kind(visit: Visit, standing: Standing) -> Kind | None:
    """Return how a standing shows as a banner here, or None for no banner."""
    if visit.path in OWN_PAGES:
        return None
    return KINDS.get(words_for(visit, standing).shown)


def state_banner(visit: Visit, standing: Standing) -> None:
    """Draw the banner for a standing, with the one thing that helps."""
    kind = banner_kind(visit, standing)
    if kind is None:
        return
    words = words_for(visit, standing)
    visit.extras["banner"] = words
    with notice(kind, words.sentence) as box:
        visit.extras["banner_box"] = box
        first = standing.current.actions[0]
        if first.opens_portal:
            portal_button(visit, action_label(first, words.shown), testid="banner-action")
        else:
            button(_("See your billing"), "secondary", href="/payment", testid="banner-action")


def _banner_words(visit: Visit, standing: Standing) -> StateWords | None:
    return words_for(visit, standing) if banner_kind(visit, standing) is not None else None
