"""`/account/forget`: what goes when a user is forgotten, what stays and why, and the one button that does it.

The page is the confirmation: nothing is forgotten before its form is posted (`api/forms.py`).
"""

from collections.abc import Mapping
from typing import Final

from services.container import Container
from services.people.personal_data import Forgetting, Stays
from services.sessions.service import account_mark
from ui.billing.problem import draw_problem, problem_in_address
from ui.components.button import button
from ui.components.card_page import card_page
from ui.nicegui_ext.html import Tag
from ui.page.current_user import signed_in
from ui.page.frame import frame
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _

GOES: Final = (
    N_("your name, email address and picture, and every sign-in of yours, on all devices"),
    N_("your cart"),
    N_("what your pages have shown you, and when"),
    N_("the checkouts that are settled"),
)
WHY: Final[Mapping[Stays, str]] = {
    # Translators: one of the things that stay when a user is forgotten
    Stays.MAY_BE_PAID: N_(
        "Checkouts that may have been paid or can still be paid: so that you aren't sold the same thing twice. "
        "They can be forgotten once it's known what became of them."
    ),
    # Translators: one of the things that stay when a user is forgotten
    Stays.RUNNING: N_(
        "What tells that you have, or may have, a subscription: so that no second one is sold to you. It can be "
        "forgotten once the subscription has ended."
    ),
    # Translators: one of the things that stay when a user is forgotten
    Stays.UNTOLD: N_(
        "News of your plan that other services haven't taken yet. It can be forgotten once they have taken it."
    ),
}


def register(container: Container) -> None:
    """Add the page."""

    @page(container, "/account/forget", title=N_("Have your data forgotten"), requires_sign_in=True, robots="noindex")
    async def forget(context: PageContext) -> None:
        session = signed_in(context)
        forgetting, problem = await container.own_data.preview(session), await problem_in_address(context)
        with (
            frame(context, narrow=True),
            card_page("warning", "trash", _("Have your data forgotten"), testid="forget-card"),
        ):
            if problem is not None:
                draw_problem(problem)
            draw_what_goes()
            if forgetting.stays:
                draw_what_stays(forgetting)
            with Tag("form", method="post", action="/account/forget", classes="card-actions", data_leaves=""):
                Tag("input", type="hidden", name="account", value=account_mark(session.user.user_id))
                button(_("Forget it and sign me out"), submit=True, wide=True, large=True, testid="forget-me")
                button(_("Keep everything"), "quiet", href="/account", wide=True)


def draw_what_goes() -> None:
    """Draw what goes at once, and what nobody here can take away."""
    Tag("p", _("These are removed from this app at once:"), classes="card-sentence")
    with Tag("ul", classes="plain-list"):
        for text in GOES:
            Tag("li", _(text))
    Tag("p", _("Payments and invoices are at Stripe, your account is where you sign in: both stay."), classes="muted")


def draw_what_stays(forgetting: Forgetting) -> None:
    """Draw what stays, each with its reason."""
    Tag("p", _("These stay for now:"), classes="card-sentence")
    with Tag("ul", classes="plain-list"):
        for why in forgetting.stays:
            Tag("li", _(WHY[why]), testid=f"stays-{why}")
    if Stays.RUNNING in forgetting.stays:
        words = _(
            "This ends no subscription: one that runs goes on and is charged as before. End it on the billing page."
        )
        Tag("p", words, classes="muted")
