"""A line above every page that says when purchases are not real where people would take them for real.

`prepare_stripe_mode_banner` is one of `ui/serving/arrivals.py`. The facts are those of `services/stripe_mode.py`, which
`/readyz` and `python app.py check` read as well.
"""

from nicegui import ui

from services.stripe_mode import StripeModeProblem
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.text.i18n import _
from ui.theme.icons import icon


async def prepare_stripe_mode_banner(context: PageContext) -> None:
    """Draw the line over the page that is about to be built, if there is something to say."""
    await context.container.stripe_mode.mode()
    watch_stripe_mode_banner(context)


def watch_stripe_mode_banner(context: PageContext) -> None:
    """Draw the line from what is known, unless it is on the page: for errors, whose page may ask no service."""
    if context.stripe_mode_banner_on == ui.context.client.id:
        return
    problems: tuple[StripeModeProblem, ...] = context.container.stripe_mode.known_problems()
    if problems:
        context.stripe_mode_banner_on = ui.context.client.id
        stripe_mode_banner(problems).move(ui.context.client.layout, target_index=0)


def stripe_mode_banner(problems: tuple[StripeModeProblem, ...]) -> Tag:
    """Draw what is wrong with the money, for visitors: it is in their interest to know."""
    # Translators: name of a banner, for screen readers
    with Tag("aside", classes="money-banner", aria_label=_("About payments here"), testid="money-banner") as box:
        for problem in problems:
            with Tag("p", data_code=problem.code):
                icon("exclamation-triangle")
                Tag("span", _(problem.banner))
    return box
