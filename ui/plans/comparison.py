"""The table that compares the plans line by line. Its head stays in sight, with each plan's price and button.

On a narrow screen each line's name stands above its values, and the groups of lines fold to their names.
"""

from typing import Final

from catalog import Catalog, Plan
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.plans.comparison_head import comparison_head, mark
from ui.plans.feature_words import row_name, row_value, shown_groups
from ui.plans.live_catalog import LivePlans
from ui.text.i18n import _
from ui.theme.icons import icon

SIDE_BY_SIDE: Final = 4
LONGEST_HEAD: Final = 14
"""How many plans, and words of how many letters, a narrow screen can show in columns; of more, each value stands beside
its plan's name."""


def compared(catalog: Catalog) -> list[Plan]:
    """Return the plans that have a column."""
    return [plan for plan in catalog.on_sale if plan.kind != "contact"]


def comparison_table(context: PageContext, catalog: Catalog, shown: LivePlans) -> None:
    """Draw the catalog's comparison, with the prices and buttons of the cards that are `shown` above it.

    On a phone each line's name stands above its values, so roles are explicit.
    """
    plans = compared(catalog)
    longest = max((len(word) for plan in plans for word in context.text(plan.name).split()), default=0)
    many = "" if len(plans) > SIDE_BY_SIDE or longest > LONGEST_HEAD else None
    with Tag(
        "table", classes="comparison", role="table", aria_labelledby="comparison-title", data_many=many, data_swaps=""
    ).style(f"--plans:{len(plans)}"):
        comparison_head(context, plans, shown)
        for place, group in enumerate(shown_groups(context, catalog)):
            with Tag("tbody", role="rowgroup"):
                with Tag("tr", role="row", classes="comparison-group"):
                    name = context.text(group.name)
                    with Tag("th", scope="colgroup", role="columnheader", colspan=len(plans) + 1):
                        _group_name(name, unfolded=place == 0)
                for row in group.rows:
                    with Tag("tr", role="row"):
                        with Tag("th", scope="row", role="rowheader"):
                            Tag("span", row_name(context, catalog, row))
                            if row.note is not None:
                                Tag("span", f" {context.text(row.note)}", classes="row-note muted small")
                        for plan in plans:
                            _cell(context, plan, row_value(context, catalog, row, plan))


def _group_name(name: str, *, unfolded: bool) -> None:
    """Draw a group's name. On a narrow screen it is the label of a box that shows the group's lines when ticked."""
    with Tag("label", classes="group-name"):
        Tag("input", type="checkbox", classes="group-fold", checked=unfolded, autocomplete="off")
        Tag("span", name)
        icon("chevron-down")


def _cell(context: PageContext, plan: Plan, value: bool | str) -> None:
    with Tag("td", role="cell", data_highlighted=mark(plan), data_plan=context.text(plan.name)):
        if not isinstance(value, bool):
            Tag("span", value)
            return
        icon("check" if value else "minus")
        # Translators: a cell of the table of plans, for screen readers: the plan has the feature
        has = _("Yes")
        # Translators: a cell of the table of plans, for screen readers: the plan lacks the feature
        lacks = _("No")
        Tag("span", has if value else lacks, classes="visually-hidden")
