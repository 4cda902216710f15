"""Where a press that did not lead to Stripe says why: what happened, whether money moved, what to do.

    problems = ProblemPlace(visit)
    checkout_button(visit, attempt, _("Subscribe"), problems)

The same words come after a form post without a script, through `?problem=code` (`problem_in_address`), for a minute.
That nothing was charged is a claim: the press was stopped here, before the browser was sent to Stripe.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from nicegui import ui

from services.claims import Claim, NotChargedEvidence, not_charged_claim
from services.errors import (
    AccountChanged,
    AlreadySaid,
    AlreadySubscribed,
    CatalogChanged,
    CheckoutInProgress,
    CustomerUnknown,
    FrontendError,
    PriceNotSold,
    PurchaseUnconfirmed,
    StatusUnclear,
    SubscriptionOnRecord,
    with_money,
)
from services.sessions.service import Session
from services.web.problem_address import PROBLEM_AT
from ui.components.notice import Kind, notice
from ui.components.reference import reference
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import note_problem
from ui.text.claim_words import SENTENCES, claims_attribute
from ui.text.i18n import _, ngettext, sentence_gap

ATTENTION: Final = (
    AccountChanged, AlreadySubscribed, CheckoutInProgress, CatalogChanged, StatusUnclear, PriceNotSold
)  # fmt: skip
"""Errors that are a question to the user rather than a failure of ours."""

SAID_FOR: Final = timedelta(minutes=1)
"""How long after a press without a script its address says what it ran into."""

Draw = Callable[[], object]


class ProblemPlace:
    """A place on a page that holds at most one problem. Showing one moves the focus to it."""

    def __init__(self, context: PageContext, *, on_change: Draw | None = None) -> None:
        self._context = context
        self._on_change = on_change
        self._box = Tag("div", classes="problem-place", hidden=True)
        self.current: FrontendError | None = None
        ui.context.client.on_delete(self._let_go)

    def _let_go(self) -> None:
        """The page is gone: what it wanted to hear refers to it, and both would wait for the collector."""
        self._on_change = None

    def show(
        self,
        error: FrontendError,
        way_on: Draw | None = None,
        *,
        sentence: str = "",
        claims: tuple[Claim, ...] | None = None,
    ) -> None:
        """Say what went wrong, or `sentence`, which knows more of it and is made of `claims`; `way_on` draws the
        buttons that lead on.

        It is said among the page's banners where what this place stood in was drawn anew while the press was under way.
        """
        if self._box.is_deleted:
            page_wide_problems(self._context).show(error, way_on, sentence=sentence, claims=claims)
            return
        self.current = error
        note_problem(self._context, error)
        self._box.clear()
        with self._box:
            draw_problem(error, way_on, sentence=sentence, claims=claims)
        self._box.set(hidden=False)
        self._changed()

    def clear(self) -> None:
        """Take the problem away."""
        self.current = None
        if self._box.is_deleted:
            return
        self._box.clear()
        self._box.set(hidden=True)
        self._changed()

    def _changed(self) -> None:
        if self._on_change is not None:
            self._on_change()


def page_wide_problems(context: PageContext) -> ProblemPlace:
    """Return the place for problems of what has none near it (any more), among the page's banners."""
    frame = context.frame
    if frame is None:
        return ProblemPlace(context)

    def make() -> ProblemPlace:
        with frame.banners:
            return ProblemPlace(context)

    place = context.part(ProblemPlace, make)
    frame.show_banners()
    return place


def draw_problem(
    error: FrontendError, way_on: Draw | None = None, *, sentence: str = "", claims: tuple[Claim, ...] | None = None
) -> None:
    """Draw an error as a notice that takes the focus."""
    title = "" if sentence else problem_title(error)
    with notice(problem_kind(error), sentence or problem_sentence(error), title=title, focus=True) as box:
        made_of = money_claims(error) if claims is None else claims
        box.classes("problem").set(data_code=error.code, data_claims=claims_attribute(made_of))
        if error.request_id:
            reference(error.request_id, "reference small muted")
        if way_on is not None:
            with Tag("div", classes="actions"):
                way_on()


def problem_title(error: FrontendError) -> str:
    """Return the few words over the sentence; nothing where they would say the same."""
    return "" if AlreadySaid.TITLE in error.says else _(error.title)


def problem_kind(error: FrontendError) -> Kind:
    """Return how loudly to say it."""
    if isinstance(error, CustomerUnknown):
        return "info"
    return "warning" if isinstance(error, ATTENTION) else "danger"


def problem_sentence(error: FrontendError) -> str:
    """Return what happened, whether money moved, and when to try again where that is known."""
    money = money_words(error)
    parts = [with_money(_(error.sentence), money)]
    if money and AlreadySaid.MONEY not in error.says:
        parts.append(money)
    if error.retry_after is not None:
        seconds = max(1, round(error.retry_after))
        words = ngettext("Try again in {count} second.", "Try again in {count} seconds.", seconds)
        parts.append(words.format(count=seconds))
    elif error.retryable and AlreadySaid.RETRY not in error.says:
        parts.append(_("Try again in a minute."))
    return sentence_gap().join(parts)


def money_words(error: FrontendError) -> str:
    """Return what its claims say of money; nothing where there are none."""
    return sentence_gap().join(_(SENTENCES[claim.says][0]) for claim in money_claims(error))


def money_claims(error: FrontendError) -> tuple[Claim, ...]:
    """Return that nothing was charged, where the press was stopped before the browser was sent to Stripe."""
    if error.money_moved is not False or isinstance(error, CustomerUnknown):
        return ()
    return (not_charged_claim(NotChargedEvidence.STOPPED_HERE, datetime.now(UTC)),)


def problem_code(context: PageContext) -> str:
    """Return the code of the problem that a press without a script ran into a moment ago, or nothing.

    An address that is opened again later says nothing: something may have been paid since.
    """
    try:
        at = datetime.fromtimestamp(int(context.query.get(PROBLEM_AT, "")), UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    fresh = abs(datetime.now(UTC) - at) < SAID_FOR
    return context.query.get("problem", "") if fresh else ""


def problem_named(code: str) -> FrontendError | None:
    """Return the error with that code, with our words and nothing else; None for a code that no error has."""
    kind = _BY_CODE.get(code)
    if kind is None:
        return None
    error = kind.__new__(kind)
    FrontendError.__init__(error)
    if isinstance(error, CheckoutInProgress):
        error.checkout = None
    return error


async def problem_in_address(context: PageContext) -> FrontendError | None:
    """Return the problem that a press without a script ran into, with the checkout that it is about.

    The address holds a code and our id of a checkout, found only if it is one of this user's.
    """
    error = problem_named(problem_code(context))
    asked = context.query.get("checkout", "")
    if not asked or not isinstance(context.session, Session):
        return error
    try:
        checkout = await context.container.checkout.find(context.session, asked)
    except FrontendError:
        return error
    if isinstance(error, SubscriptionOnRecord | PurchaseUnconfirmed):
        error.also_open = checkout
    elif isinstance(error, CheckoutInProgress):
        error.checkout = checkout
    return error


def _kinds(root: type[FrontendError]) -> list[type[FrontendError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in _kinds(child))]


_BY_CODE: Final = {kind.code: kind for kind in _kinds(FrontendError)}
