"""A line above every page that says when purchases are not real where people would take them for real.

`bring_money_banner` belongs into `site.on_arrival`. The facts are those of `services/money_mode.py`, which `/readyz`
and `python app.py check` read as well.
"""

from nicegui import context

from services.money_mode import MoneyProblem
from ui.html import Tag
from ui.i18n import _
from ui.icons import icon
from ui.visit import Visit


async def bring_money_banner(visit: Visit) -> None:
    """Draw the line over the page that is about to be built, if there is something to say."""
    if visit.site.money_mode is None:
        return
    await visit.site.money_mode.mode()
    keep_money_banner(visit)


def keep_money_banner(visit: Visit) -> None:
    """Draw the line from what is known, unless it is on the page: for errors, whose page may ask nobody any more."""
    if visit.site.money_mode is None or visit.extras.get("money_banner") == context.client.id:
        return
    problems: tuple[MoneyProblem, ...] = visit.site.money_mode.known_problems()
    if problems:
        visit.extras["money_banner"] = context.client.id
        money_banner(problems).move(context.client.layout, target_index=0)


def money_banner(problems: tuple[MoneyProblem, ...]) -> Tag:
    """Draw what is wrong with the money, for visitors: it is in their interest to know."""
    with Tag("aside", classes="money-banner", aria_label=_("About payments here"), testid="money-banner") as box:
        for problem in problems:
            with Tag("p", data_code=problem.code):
                icon("exclamation-triangle")
                Tag("span", _(problem.banner))
    return box
