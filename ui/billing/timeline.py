"""The way of a purchase in four steps, each with its time: where it is now, and so where it waits.

Back from Stripe, at the payment service, in the user's account, features on. The steps are what services have said
(`services/checkout_record.py` keeps the first time of each); nothing here is concluded from the address or the clock.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.checkout_record import Checkout, CheckoutEvent
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.text.formats import clock_time, exact
from ui.text.i18n import N_, _


class Progress(StrEnum):
    """How far one step is."""

    DONE = "done"
    NOW = "now"
    WAITING = "waiting"
    SILENT = "silent"
    """No service said so, and a later step has been reached all the same."""


STEPS: Final = (
    # Translators: first step of a purchase: the customer is back from Stripe
    (CheckoutEvent.RETURNED, N_("Payment submitted")),
    # Translators: second step of a purchase: billing has it
    (CheckoutEvent.BILLING_HAS_IT, N_("Payment confirmed")),
    # Translators: third step of a purchase
    (CheckoutEvent.ACCOUNT_HAS_IT, N_("Plan added to your account")),
    # Translators: last step of a purchase: the plan opens what it includes
    (CheckoutEvent.ACCESS_ON, N_("Ready to use")),
)

_ICONS: Final = {Progress.DONE: "check-circle", Progress.SILENT: "minus"}
_WORDS: Final = {
    # Translators: a step of a purchase, after a check mark
    Progress.DONE: N_("Done"),
    # Translators: a step of a purchase that is waited for now
    Progress.NOW: N_("In progress"),
    Progress.WAITING: "–",
    # Translators: a step of a purchase of which no news came, and none is needed any more
    Progress.SILENT: N_("Not needed"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it is now."""

    event: CheckoutEvent
    progress: Progress
    at: datetime | None


def steps_of(checkout: Checkout) -> tuple[Step, ...]:
    """Return the four steps of a checkout: the first that no service has confirmed is the one that is waited for."""
    reached = [checkout.at(event) is not None for event, _label in STEPS]
    last = max((place for place, is_reached in enumerate(reached) if is_reached), default=-1)
    finished = checkout.confirmed
    steps = []
    for place, (event, _label) in enumerate(STEPS):
        progress = Progress.WAITING
        if reached[place]:
            progress = Progress.DONE
        elif place < last and finished:
            progress = Progress.SILENT
        elif place == reached.index(False):
            progress = Progress.NOW
        steps.append(Step(event, progress, checkout.at(event)))
    return tuple(steps)


class Timeline:
    """The drawn steps; `show` changes them in place."""

    def __init__(self, context: PageContext, checkout: Checkout) -> None:
        self._context = context
        self._rows: dict[CheckoutEvent, tuple[Tag, Tag, Tag]] = {}
        # Translators: name of the list of steps, for screen readers
        with Tag("ol", classes="timeline", testid="timeline", aria_label=_("Progress")):
            for event, label in STEPS:
                with Tag("li", classes="step", testid=f"step-{event}") as row:
                    with Tag("span", classes="step-mark", aria_hidden="true"):
                        mark = Tag("span", classes="step-dot")
                    with Tag("span", classes="step-words"):
                        Tag("span", _(label), classes="step-label")
                        when = Tag("span", "", classes="step-time muted small")
                self._rows[event] = (row, mark, when)
        self.show(checkout)

    def show(self, checkout: Checkout) -> None:
        """Show how far the purchase is."""
        context = self._context
        for step in steps_of(checkout):
            row, mark, when = self._rows[step.event]
            row.set(data_progress=step.progress, aria_current="step" if step.progress is Progress.NOW else None)
            drawing = _ICONS.get(step.progress)
            mark.classes(replace=f"icon icon-{drawing}" if drawing else "step-dot")
            if step.at is not None:
                when.set_text(clock_time(step.at, context.locale, context.timezone))
                when.set(title=exact(step.at, context.locale, context.timezone))
            else:
                when.set_text(_(_WORDS[step.progress]))
                when.set(title=None)
